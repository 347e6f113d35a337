package app

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"haoban/bureau/permit"
	"haoban/casework"
	"haoban/platform/audit"
	"haoban/platform/db"
	"haoban/platform/errs"
	"haoban/platform/ident"
)

// settingsEvery is how soon a change made on one node is seen by the others.
const settingsEvery = 2 * time.Second

// SettingSpec is one thing a bureau sets while running.
type SettingSpec struct {
	Key     string
	Name    string   // in Chinese
	Default string   // in force while nobody has set it; "" follows Of
	Of      string   // the key it follows while it is not set
	Values  []string // what it may be
	Max     int64    // for a number: it may be 0 to Max, or "" for what the matter says
}

// allows reports whether the setting may be v.
func (s SettingSpec) allows(v string) bool {
	if s.Max == 0 || v == "" {
		return s.Max > 0 || slices.Contains(s.Values, v)
	}
	n, err := strconv.ParseInt(v, 10, 64)
	return err == nil && n >= 0 && n <= s.Max
}

// says what the setting may be.
func (s SettingSpec) says() string {
	if s.Max > 0 {
		return "0 到 " + strconv.FormatInt(s.Max, 10) + " 的整数"
	}
	return strings.Join(s.Values, "、")
}

// board is the copy of the settings in memory. Casework asks it inside
// transactions, so it never goes to the database itself.
type board struct {
	mu    sync.RWMutex
	specs map[string]SettingSpec
	set   map[string]casework.Setting
}

func (b *board) value(key string) string {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if s, ok := b.set[key]; ok && s.Value != "" {
		return s.Value
	}
	return b.specs[key].Default
}

func (b *board) replace(set map[string]casework.Setting) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.set = set
}

func (b *board) get(key string) casework.Setting {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.set[key]
}

// settingSpecs are the settings there are: the house's own and one a matter.
func (a *App) settingSpecs() map[string]SettingSpec {
	out := map[string]SettingSpec{}
	for _, s := range []SettingSpec{
		{Key: "guard.ministry", Name: "报部管控", Default: permit.ReportOff, Values: []string{permit.ReportOff, "报部"}},
		{Key: "approval.levels", Name: "审定级数", Default: "3", Values: []string{"1", "2", "3"}},
	} {
		out[s.Key] = s
	}
	for _, m := range a.Service.Matters() {
		k := "approval.levels." + m.Slug
		out[k] = SettingSpec{Key: k, Name: "审定级数（" + m.Name + "）", Of: "approval.levels", Values: []string{"", "1", "2", "3"}}
		for _, f := range m.Fee.Items {
			k := "fee." + f.Code
			out[k] = SettingSpec{Key: k, Name: "收费标准（" + f.Name + "，分）", Max: 1_000_000_00}
		}
	}
	return out
}

// SettingSpecs returns what may be set, by key.
func (a *App) SettingSpecs() []SettingSpec {
	keys := slices.Sorted(maps.Keys(a.board.specs))
	out := make([]SettingSpec, 0, len(keys))
	for _, k := range keys {
		out = append(out, a.board.specs[k])
	}
	return out
}

// openSettings takes the first copy.
func (a *App) openSettings(ctx context.Context) error {
	a.board.specs = a.settingSpecs()
	return a.loadSettings(ctx)
}

func (a *App) loadSettings(ctx context.Context) error {
	set, err := casework.Settings(ctx, a.DB.Q(), db.MS(a.o.Clock.Now()))
	if err != nil {
		return err
	}
	a.board.replace(set)
	return nil
}

// keepSettings refreshes the copy until ctx ends. A database that does not
// answer leaves the copy as it is.
func (a *App) keepSettings(ctx context.Context) {
	t := time.NewTicker(settingsEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			if err := a.loadSettings(ctx); err != nil && ctx.Err() == nil {
				a.o.Log.WarnContext(ctx, "settings were not refreshed", "err", err)
			}
		}
	}
}

// SetSetting sets a key from now on and keeps what it was; sysadmin may.
// version is the one the change is made over, 0 where nothing was set, -1 for
// whatever it is. It returns the new version, or ident.ErrAdmin, an error of
// kind errs.NotFound for a key nobody knows, errs.Invalid for a value it cannot
// have, or casework.ErrSettingVersion.
func (a *App) SetSetting(ctx context.Context, by ident.Actor, key, value string, version int) (casework.Setting, error) {
	if by.Kind != ident.KindSystem && !by.HasAnyRole(ident.RoleSysAdmin) {
		return casework.Setting{}, ident.ErrAdmin
	}
	spec, ok := a.board.specs[key]
	if !ok {
		return casework.Setting{}, errSetting
	}
	if !spec.allows(value) {
		return casework.Setting{}, errs.New(errs.Invalid, "setting.value", spec.Name+"不能这样设").
			With("value", "one_of", "只能是："+spec.says())
	}
	var now casework.Setting
	err := a.DB.Tx(ctx, func(tx *db.Tx) error {
		var before string
		var err error
		if now, before, err = casework.PutSetting(ctx, tx, key, value, by.ID, version); err != nil {
			return err
		}
		return audit.Write(ctx, tx, audit.Event{
			Type: "setting.change", Actor: by.ID, ActorKind: by.Kind, Subject: key, IP: by.IP,
			Detail: map[string]string{"key": key, "from": before, "to": value},
		})
	})
	if err != nil {
		return casework.Setting{}, err
	}
	return now, a.loadSettings(ctx)
}

var errSetting = errs.New(errs.NotFound, "setting.unknown", "没有这项设置")
