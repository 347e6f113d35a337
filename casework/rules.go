package casework

import (
	"context"
	"fmt"
	"slices"

	"haoban/casework/matter"
	"haoban/platform/db"
	"haoban/platform/errs"
)

// Verdict is what a check says.
type Verdict string

// The verdicts (权利对抗检查 and every other rule use the same).
const (
	Pass     Verdict = "PASS"
	Block    Verdict = "BLOCK"    // 阻断
	Consent3 Verdict = "CONSENT"  // 须第三方书面同意
	RiskAck  Verdict = "RISK_ACK" // 告知并承诺后可办
	Manual   Verdict = "MANUAL"   // 转人工
	Warn     Verdict = "WARN"     // 提示
)

// Finding is the outcome of one check, kept as evidence.
type Finding struct {
	Rule    string  `json:"rule"`
	Name    string  `json:"name"`
	Verdict Verdict `json:"verdict"`
	Text    string  `json:"text"`
	Basis   string  `json:"basis"`
	Path    string  `json:"path,omitempty"`
	At      string  `json:"at"` // moment of the case: choose, ready, submit, accept, enter
}

// CheckFunc is a check an office registers. It reads its own books through the
// transaction and never talks to the outside.
type CheckFunc func(ctx context.Context, q db.Querier, m *matter.Matter, env matter.Env) ([]Finding, error)

// Findings runs the checks of moment at, and returns every finding, passes
// included: nothing passes silently.
func (s *Service) Findings(ctx context.Context, q db.Querier, m *matter.Matter, env matter.Env, at string) ([]Finding, error) {
	var out []Finding
	for _, c := range m.Checks {
		if !slices.Contains(c.At, at) {
			continue
		}
		if c.Use != "" {
			fs, err := s.o.Checks[c.Use](ctx, q, m, env)
			if err != nil {
				return nil, fmt.Errorf("check %s: %w", c.ID, err)
			}
			for _, f := range fs {
				f.At = at
				out = append(out, f)
			}
			continue
		}
		f := Finding{Rule: c.ID, Name: c.Name, Verdict: Pass, Text: c.Name + "：通过", Basis: c.Basis, Path: c.Path, At: at}
		ok, err := matter.True(c.Expr, env)
		switch {
		case err != nil:
			f.Verdict, f.Text = Manual, c.Name+"：还没有核到，转人工核对"
			if c.Unknown == string(Block) {
				f.Verdict, f.Text = Block, c.Name+"：还没有核到，请先刷新核验"
			}
		case !ok:
			f.Verdict, f.Text = Verdict(c.Verdict), c.Msg
		}
		out = append(out, f)
	}
	return out, nil
}

// Check runs the checks of a moment, records them as an event, and refuses when
// one of them blocks.
func (w *Work) Check(ctx context.Context, at string) error {
	found, err := w.s.Findings(ctx, w.Tx, w.M, w.Env(), at)
	if err != nil {
		return err
	}
	if len(found) == 0 {
		return nil
	}
	refusal := errs.New(errs.Conflict, "check.block", "")
	var blocked bool
	for _, f := range found {
		if f.Verdict != Block {
			continue
		}
		if !blocked {
			refusal.Msg = f.Text
		}
		blocked = true
		path := f.Path
		if path == "" {
			path = f.Rule
		}
		refusal = refusal.With(path, f.Rule, f.Text)
	}
	if blocked {
		return refusal
	}
	list := make([]any, len(found))
	for i, f := range found {
		list[i] = f
	}
	w.Emit("checked", fmt.Sprintf("核对 %d 项规则", len(found)), at, map[string]any{"findings": list})
	return nil
}
