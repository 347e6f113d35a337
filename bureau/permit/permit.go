// Package permit is the planning office's own law: what must hold before a
// planning paper leaves the house.
package permit

import (
	"context"

	"haoban/casework"
	"haoban/platform/errs"
)

// ReportOff is the value of the guard's setting that sets it aside: 不报部.
const ReportOff = "不报部"

// Verbs are what processes may call: permit.guard is the dispatch guard
// (发件强控, P23.11): without the ministry's number no paper is sent out, unless
// the bureau has set the guard aside by configuration, which is then shown.
func Verbs(setting func(key string) string) map[string]casework.Verb {
	return map[string]casework.Verb{
		"permit.guard": {Do: func(_ context.Context, w *casework.Work, _ casework.Call) (map[string]any, error) {
			g := w.M.Guard
			if g == nil {
				return nil, nil
			}
			if setting(g.Setting) != ReportOff {
				return nil, errs.New(errs.TooSoon, "guard.no_number", "还没有取得"+g.Name+"，不能发件；取得后请刷新再发")
			}
			w.Emit("guard_off", g.Name+"：按配置"+ReportOff+"，可以发件", g.Text, map[string]any{"setting": g.Setting})
			return nil, nil
		}},
	}
}
