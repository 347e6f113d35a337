package casework

import (
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"sort"

	"haoban/casework/form"
	"haoban/casework/matter"
	"haoban/platform/codes"
	"haoban/platform/db"
	"haoban/platform/ident"
)

// rowColumns are what a list shows of a case; the long texts follow them in
// caseColumns and in the table, so a list never touches them.
const rowColumns = `id, no, home, matter, digest, bundle, bundle_seq, phase, district, title, channel, opener, org,
	opened_at, submitted_at, accepted_at, closed_at, due, paused, outcome, version, seq`

const caseColumns = rowColumns + `, state, form, facts, settings`

// secretPurpose is the key purpose of sensitive leaves.
const secretPurpose = "case"

func noRows(err error) bool { return errors.Is(err, sql.ErrNoRows) }

type scanner interface{ Scan(dest ...any) error }

// scanRow reads rowColumns, and into more what is selected after them.
func scanRow(r scanner, more ...any) (*Case, error) {
	var (
		c           Case
		no          sql.NullString
		home, phase string
	)
	err := r.Scan(append([]any{
		&c.ID, &no, &home, &c.Matter, &c.Digest, &c.Bundle, &c.BundleSeq, &phase, &c.District, &c.Title,
		&c.Channel, &c.Opener, &c.Org, &c.Opened, &c.Submitted, &c.Accepted, &c.Closed, &c.Due, &c.Paused, &c.Outcome,
		&c.Version, &c.Seq,
	}, more...)...)
	if err != nil {
		return nil, err
	}
	c.No, c.Phase = no.String, Phase(phase)
	return &c, nil
}

func scanCase(r scanner) (*Case, map[string]any, error) {
	var state, formJSON, facts, settingsJS string
	c, err := scanRow(r, &state, &formJSON, &facts, &settingsJS)
	if err != nil {
		return nil, nil, err
	}
	f := map[string]any{}
	for _, x := range []struct {
		text string
		into any
	}{{state, &c.State}, {formJSON, &f}, {facts, &c.Facts}, {settingsJS, &c.Settings}} {
		if err := json.Unmarshal([]byte(x.text), x.into); err != nil {
			return nil, nil, fmt.Errorf("case %s: %w", c.ID, err)
		}
	}
	return c, f, nil
}

// load reads one case, its definition and its whole form. With lock it holds
// the case's row until the transaction ends.
func (s *Service) load(ctx context.Context, tx *db.Tx, id string, lock bool) (*Work, error) {
	q := `SELECT ` + caseColumns + ` FROM cw_case WHERE id = $1`
	if lock {
		q += tx.Dialect().ForUpdate()
	}
	c, f, err := scanCase(tx.QueryRow(ctx, q, id))
	if noRows(err) {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("load case: %w", err)
	}
	w := &Work{Case: c, s: s, Tx: tx}
	if w.M, err = s.definition(ctx, tx, c.Digest); err != nil {
		return nil, err
	}
	if w.stored, err = s.secrets(ctx, tx, c.ID); err != nil {
		return nil, err
	}
	w.form = form.Merge(f, w.stored)
	return w, nil
}

// LoadMates brings the other cases of the bundle into the transaction, in
// order and locked, so that a command over the bundle is one transaction.
func (w *Work) LoadMates(ctx context.Context) error {
	if len(w.mates) > 0 {
		return nil
	}
	rows, err := w.Tx.Query(ctx, `SELECT id FROM cw_case WHERE bundle = $1 ORDER BY bundle_seq`, w.Bundle)
	if err != nil {
		return fmt.Errorf("bundle: %w", err)
	}
	ids, err := strings1(rows)
	if err != nil {
		return fmt.Errorf("bundle: %w", err)
	}
	all := make([]*Work, 0, len(ids))
	for _, id := range ids {
		if id == w.ID {
			all = append(all, w)
			continue
		}
		m, err := w.s.load(ctx, w.Tx, id, true)
		if err != nil {
			return err
		}
		m.Actor = w.Actor
		all = append(all, m)
	}
	for _, m := range all {
		m.mates = all
	}
	return nil
}

func strings1(rows *sql.Rows) (out []string, err error) {
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var v string
		if err := rows.Scan(&v); err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, rows.Err()
}

// secrets opens the sensitive leaves of a case.
func (s *Service) secrets(ctx context.Context, q db.Querier, id string) (out map[string]string, err error) {
	rows, err := q.Query(ctx, `SELECT path, sealed FROM cw_secret WHERE case_id = $1`, id)
	if err != nil {
		return nil, fmt.Errorf("sensitive leaves: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	out = map[string]string{}
	for rows.Next() {
		var path, sealed string
		if err := rows.Scan(&path, &sealed); err != nil {
			return nil, err
		}
		raw, err := base64.RawStdEncoding.DecodeString(sealed)
		if err != nil {
			return nil, fmt.Errorf("sensitive leaf %s: %w", path, err)
		}
		plain, err := s.o.Keys.Open(ctx, secretPurpose, raw, []byte(id+"\x00"+path))
		if err != nil {
			return nil, fmt.Errorf("sensitive leaf %s: %w", path, err)
		}
		out[path] = string(plain)
	}
	return out, rows.Err()
}

// save writes the case, its events, visibility and search rows.
func (w *Work) save(ctx context.Context) error {
	if w.reclock {
		if err := w.reckon(ctx); err != nil {
			return err
		}
	}
	for i := 0; i < len(w.events); i++ { // subscribers may add events
		for _, sub := range w.s.o.Subscribers {
			if err := sub(ctx, w, w.events[i]); err != nil {
				return err
			}
		}
	}
	open, secrets := w.M.Form.Split(w.form)
	w.Version++
	args := []any{
		w.ID, sql.NullString{String: w.No, Valid: w.No != ""}, HomeNet, w.Matter, w.Digest, w.Bundle, w.BundleSeq,
		string(w.Phase), w.District, w.Title, w.Channel, w.Opener, w.Org, w.Opened, w.Submitted, w.Accepted, w.Closed,
		w.Due, w.Paused, w.Outcome, w.Version, w.Seq, toJSON(w.State), toJSON(open), toJSON(w.Facts), toJSON(w.Settings),
	}
	q := `INSERT INTO cw_case (` + caseColumns + `) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17,$18,$19,$20,$21,$22,$23,$24,$25,$26)`
	if !w.fresh {
		q = `UPDATE cw_case SET no=$2, home=$3, matter=$4, digest=$5, bundle=$6, bundle_seq=$7, phase=$8, district=$9,
			title=$10, channel=$11, opener=$12, org=$13, opened_at=$14, submitted_at=$15, accepted_at=$16, closed_at=$17,
			due=$18, paused=$19, outcome=$20, version=$21, seq=$22, state=$23, form=$24, facts=$25, settings=$26 WHERE id=$1`
	}
	if _, err := w.Tx.Exec(ctx, q, args...); err != nil {
		return fmt.Errorf("save case: %w", err)
	}
	if w.formSet {
		if err := w.saveSecrets(ctx, secrets); err != nil {
			return err
		}
		if err := w.saveSearch(ctx); err != nil {
			return err
		}
	}
	if w.scopeSet || w.fresh || w.reclock {
		if err := w.saveScopes(ctx); err != nil {
			return err
		}
	}
	for _, e := range w.events {
		if _, err := w.Tx.Exec(ctx, `INSERT INTO cw_event (case_id, seq, at, kind, actor, actor_kind, actor_name, text, reason, data)
			VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10)`,
			e.Case, e.Seq, e.At, e.Kind, e.Actor, e.ActorKind, e.ActorName, e.Text, e.Reason, toJSON(e.Data)); err != nil {
			return fmt.Errorf("save event: %w", err)
		}
	}
	if len(w.events) > 0 {
		w.Tx.AfterCommit(w.s.watch.nudge)
	}
	w.fresh, w.formSet, w.scopeSet, w.reclock = false, false, false, false
	w.events = nil
	return nil
}

func (w *Work) saveSecrets(ctx context.Context, secrets map[string]string) error {
	paths := make([]string, 0, len(secrets))
	for p := range secrets {
		paths = append(paths, p)
	}
	sort.Strings(paths)
	for p := range w.stored {
		if _, still := secrets[p]; !still {
			if _, err := w.Tx.Exec(ctx, `DELETE FROM cw_secret WHERE case_id = $1 AND path = $2`, w.ID, p); err != nil {
				return fmt.Errorf("sensitive leaf: %w", err)
			}
		}
	}
	for _, p := range paths {
		v := secrets[p]
		if old, ok := w.stored[p]; ok && old == v {
			continue
		}
		sealed, err := w.s.o.Keys.Seal(ctx, secretPurpose, []byte(v), []byte(w.ID+"\x00"+p))
		if err != nil {
			return fmt.Errorf("sensitive leaf: %w", err)
		}
		blind, err := w.s.blind(ctx, v)
		if err != nil {
			return err
		}
		if _, err := w.Tx.Exec(ctx, `INSERT INTO cw_secret (case_id, path, sealed, blind) VALUES ($1,$2,$3,$4)
			ON CONFLICT (case_id, path) DO UPDATE SET sealed = excluded.sealed, blind = excluded.blind`,
			w.ID, p, base64.RawStdEncoding.EncodeToString(sealed), blind); err != nil {
			return fmt.Errorf("sensitive leaf: %w", err)
		}
	}
	w.stored = secrets
	return nil
}

// blind returns the blind index of a sensitive value: exact match only.
func (s *Service) blind(ctx context.Context, v string) (string, error) {
	b, err := s.o.Keys.Index(ctx, secretPurpose, v)
	if err != nil {
		return "", fmt.Errorf("blind index: %w", err)
	}
	return b, nil
}

func (w *Work) saveSearch(ctx context.Context) error {
	if !w.fresh {
		if _, err := w.Tx.Exec(ctx, `DELETE FROM cw_search WHERE case_id = $1`, w.ID); err != nil {
			return fmt.Errorf("search index: %w", err)
		}
	}
	seen := map[string]bool{}
	for field, tokens := range w.M.Form.Tokens(w.form) {
		for _, t := range tokens {
			if seen[t+"\x00"+field] {
				continue
			}
			seen[t+"\x00"+field] = true
			if _, err := w.Tx.Exec(ctx, `INSERT INTO cw_search (token, case_id, field) VALUES ($1,$2,$3)`, t, w.ID, field); err != nil {
				return fmt.Errorf("search index: %w", err)
			}
		}
	}
	return nil
}

// Snapshot is a case read outside any command, for papers, pushes and views.
type Snapshot struct {
	*Case
	M    *matter.Matter
	form map[string]any
}

// Form returns the whole form; the caller may not change it.
func (s *Snapshot) Form() map[string]any { return s.form }

// Snapshot reads a case as the house itself (jobs, papers): no visibility is
// applied, so it must never feed an answer to a person.
func (s *Service) Snapshot(ctx context.Context, id string) (*Snapshot, error) {
	var snap *Snapshot
	err := s.o.DB.Read(ctx, func(q db.Querier) error {
		var err error
		snap, err = s.snapshot(ctx, q, id)
		return err
	})
	return snap, err
}

func (s *Service) snapshot(ctx context.Context, q db.Querier, id string) (*Snapshot, error) {
	c, f, err := scanCase(q.QueryRow(ctx, `SELECT `+caseColumns+` FROM cw_case WHERE id = $1`, id))
	if noRows(err) {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("read case: %w", err)
	}
	m, err := s.definition(ctx, q, c.Digest)
	if err != nil {
		return nil, err
	}
	sec, err := s.secrets(ctx, q, id)
	if err != nil {
		return nil, err
	}
	return &Snapshot{Case: c, M: m, form: form.Merge(f, sec)}, nil
}

// Events returns the events of a case in order.
func (s *Service) Events(ctx context.Context, q db.Querier, id string) (out []Event, err error) {
	rows, err := q.Query(ctx, `SELECT case_id, seq, at, kind, actor, actor_kind, actor_name, text, reason, data
		FROM cw_event WHERE case_id = $1 ORDER BY seq`, id)
	if err != nil {
		return nil, fmt.Errorf("events: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var e Event
		var data string
		if err := rows.Scan(&e.Case, &e.Seq, &e.At, &e.Kind, &e.Actor, &e.ActorKind, &e.ActorName, &e.Text, &e.Reason, &data); err != nil {
			return nil, err
		}
		if err := json.Unmarshal([]byte(data), &e.Data); err != nil {
			return nil, fmt.Errorf("event data: %w", err)
		}
		out = append(out, e)
	}
	return out, rows.Err()
}

// ActorName is the name of an actor as people see it in a timeline: persons
// masked, everybody else by name.
func ActorName(a ident.Actor) string {
	if a.Kind != ident.KindPerson {
		return a.Name
	}
	return codes.MaskName(a.Name)
}

// BundleIDs returns the ids of the cases of a bundle in order.
func (s *Service) BundleIDs(ctx context.Context, q db.Querier, bundle string) ([]string, error) {
	rows, err := q.Query(ctx, `SELECT id FROM cw_case WHERE bundle = $1 ORDER BY bundle_seq`, bundle)
	if err != nil {
		return nil, fmt.Errorf("bundle: %w", err)
	}
	return strings1(rows)
}

// Env is what expressions of the matter read, for one who is not in a command.
func (s *Snapshot) Env() matter.Env {
	w := Work{Case: s.Case, M: s.M, form: s.form}
	return w.Env()
}
