package casework

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"haoban/platform/db"
	"haoban/platform/ident"
)

// Visibility is one thing: a case carries scopes (the persons, organisations
// and offices that may see it), an actor has scopes, and a case is visible where
// the two meet. Every read path goes through Visible, See or a list over
// cw_see; there is no other way to a case.

// Grant lets scope see the case.
func (w *Work) Grant(scope string) {
	for _, s := range w.scopes {
		if s == scope {
			return
		}
	}
	w.scopes = append(w.scopes, scope)
	w.scopeSet = true
}

// own are the scopes a case has by itself: who opened it, and once it is
// submitted, the office that handles it, by district and by matter.
func (w *Work) own() []string {
	out := append([]string(nil), w.scopes...)
	if w.Org != "" {
		out = append(out, ident.OrgScope(w.Org))
	} else if w.Opener != "" {
		out = append(out, ident.PersonScope(w.Opener))
	}
	if w.Submitted != 0 {
		office := w.M.Office
		for _, d := range []string{w.District, ""} {
			for _, m := range []string{w.Matter, ""} {
				out = append(out, ident.OfficeScope(office, d, m))
			}
		}
	}
	return out
}

func (w *Work) saveScopes(ctx context.Context) error {
	live := !w.Phase.Over()
	if !w.fresh {
		if _, err := w.Tx.Exec(ctx, `UPDATE cw_see SET live = $1, due = $2 WHERE case_id = $3`, live, w.Due, w.ID); err != nil {
			return fmt.Errorf("visibility: %w", err)
		}
	}
	for _, s := range w.own() {
		if _, err := w.Tx.Exec(ctx, `INSERT INTO cw_see (scope, case_id, live, due, opened_at) VALUES ($1,$2,$3,$4,$5)
			ON CONFLICT (case_id, scope) DO NOTHING`, s, w.ID, live, w.Due, w.Opened); err != nil {
			return fmt.Errorf("visibility: %w", err)
		}
	}
	return nil
}

// in renders a list of texts as binds starting at $from.
func in(from int, vals []string) (string, []any) {
	marks := make([]string, len(vals))
	args := make([]any, len(vals))
	for i, v := range vals {
		marks[i], args[i] = "$"+strconv.Itoa(from+i), v
	}
	return strings.Join(marks, ","), args
}

// userScope is the key of one official who was asked for an opinion (加签, 会签)
// without holding a post over the case.
func userScope(id string) string { return "u:" + id }

// scopesOf are the keys of an actor. An official of every office is given each
// office by name, because a case carries its own office and no wildcard for it.
func scopesOf(a ident.Actor) []string {
	out := a.Scopes()
	if a.Kind != ident.KindOfficial {
		return out
	}
	all := out
	out = nil
	for _, s := range all {
		parts := strings.Split(s, ":")
		if len(parts) == 4 && parts[2] == "*" {
			for _, office := range Offices() {
				out = append(out, strings.Join([]string{"o", parts[1], office, parts[3]}, ":"))
			}
			continue
		}
		out = append(out, s)
	}
	return append(out, userScope(a.ID))
}

// Offices are the offices that handle matters; the first element of a matter's
// slug is one of them.
func Offices() []string {
	return []string{"registry", "permit", "landuse", "project", "enforce", "disclose", "oversee"}
}

// Visible reports whether a may see the case. The house itself sees all.
func (s *Service) Visible(ctx context.Context, q db.Querier, a ident.Actor, id string) (bool, error) {
	if a.Kind == ident.KindSystem {
		return true, nil
	}
	scopes := scopesOf(a)
	if len(scopes) == 0 {
		return false, nil
	}
	marks, args := in(2, scopes)
	var one int
	err := q.QueryRow(ctx, `SELECT 1 FROM cw_see WHERE case_id = $1 AND scope IN (`+marks+`) LIMIT 1`,
		append([]any{id}, args...)...).Scan(&one)
	if noRows(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("visibility: %w", err)
	}
	return true, nil
}

// See reads a case for a person: not there and not yours answer alike.
func (s *Service) See(ctx context.Context, q db.Querier, a ident.Actor, id string) (*Snapshot, error) {
	ok, err := s.Visible(ctx, q, a, id)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, ErrNotFound
	}
	return s.snapshot(ctx, q, id)
}

// mayTouch is the guard before any command on a case: who cannot see it is told
// there is none.
func (s *Service) mayTouch(ctx context.Context, w *Work) error {
	ok, err := s.Visible(ctx, w.Tx, w.Actor, w.ID)
	if err != nil {
		return err
	}
	if !ok {
		return ErrNotFound
	}
	return nil
}

// Applicant reports whether the actor is who opened the case, or acts for the
// organisation that did.
func (w *Work) Applicant() bool {
	if w.Org != "" {
		return w.Actor.OrgID == w.Org
	}
	return w.Actor.Kind == ident.KindPerson && w.Actor.PersonID == w.Opener && w.Actor.OrgID == ""
}

// Official reports whether the actor holds role for this case's office,
// district and matter.
func (w *Work) Official(role string) bool {
	return w.Actor.Kind == ident.KindOfficial && w.Actor.HasRole(role, w.District, w.Matter)
}
