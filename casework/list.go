package casework

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"sort"
	"strconv"
	"strings"

	"haoban/casework/form"
	"haoban/platform/calendar"
	"haoban/platform/db"
	"haoban/platform/errs"
	"haoban/platform/ident"
)

// PageSize is how many rows a page of a list carries.
const PageSize = 50

// Query narrows a list of cases. The zero value lists what is alive by
// deadline.
type Query struct {
	Matter   string
	District string
	Phase    Phase
	Over     bool // closed and stopped ones instead of those alive
	ByOpened bool // newest first instead of by deadline
	Text     string
	Cursor   string
	Limit    int // 0: PageSize; never more than 500
}

func (q Query) limit() int {
	if q.Limit <= 0 || q.Limit > 500 {
		return PageSize
	}
	return q.Limit
}

// cursorOf names the place after a row; it carries no personal data.
func cursorOf(key int64, id string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(strconv.FormatInt(key, 10) + "/" + id))
}

func readCursor(c string) (int64, string, error) {
	bad := errs.New(errs.Invalid, "cursor.invalid", "翻页标记不对，请从第一页重新看")
	raw, err := base64.RawURLEncoding.DecodeString(c)
	if err != nil {
		return 0, "", bad
	}
	k, id, ok := strings.Cut(string(raw), "/")
	if !ok {
		return 0, "", bad
	}
	n, err := strconv.ParseInt(k, 10, 64)
	if err != nil {
		return 0, "", bad
	}
	return n, id, nil
}

// narrow turns an actor's scopes and the wished matter and district into the
// scopes to scan: a filter is a narrower scope, so it costs nothing.
func narrow(a ident.Actor, matterSlug, district string) []string {
	var out []string
	for _, s := range scopesOf(a) {
		parts := strings.Split(s, ":")
		if len(parts) == 4 && parts[0] == "o" {
			if district != "" {
				if parts[1] != "*" && parts[1] != district {
					continue
				}
				parts[1] = district
			}
			if matterSlug != "" {
				office, _, _ := strings.Cut(matterSlug, "/")
				if parts[2] != "*" && parts[2] != office || parts[3] != "*" && parts[3] != matterSlug {
					continue
				}
				parts[2], parts[3] = office, matterSlug
			}
			s = strings.Join(parts, ":")
		}
		out = append(out, s)
	}
	sort.Strings(out)
	return out
}

type seek struct {
	id  string
	key int64
}

// List returns the cases a may see, a page at a time, and the cursor of the next
// page ("" at the end). One index range a scope is read and merged, so a page
// costs the same at a thousand cases and at a million. The cases carry no state,
// facts and settings, which a list does not show.
func (s *Service) List(ctx context.Context, a ident.Actor, q Query) ([]*Case, string, error) {
	var out []*Case
	next := ""
	err := s.o.DB.Read(ctx, func(r db.Querier) error {
		var found []seek
		var err error
		if strings.TrimSpace(q.Text) != "" {
			found, err = s.search(ctx, r, a, q)
		} else {
			found, err = s.scan(ctx, r, a, q)
		}
		if err != nil {
			return err
		}
		if len(found) > q.limit() {
			found = found[:q.limit()]
			last := found[len(found)-1]
			next = cursorOf(last.key, last.id)
		}
		out, err = s.cases(ctx, r, found)
		return err
	})
	if err != nil {
		return nil, "", err
	}
	return out, next, nil
}

func (s *Service) scan(ctx context.Context, r db.Querier, a ident.Actor, q Query) ([]seek, error) {
	col, cmp, dir := "due", ">", "ASC"
	if q.ByOpened || q.Over {
		col, cmp, dir = "opened_at", "<", "DESC"
	}
	var args []any
	bind := func(v any) string { args = append(args, v); return "$" + strconv.Itoa(len(args)) }
	after := ""
	if q.Cursor != "" {
		k, id, err := readCursor(q.Cursor)
		if err != nil {
			return nil, err
		}
		after = ` AND (v.` + col + `, v.case_id) ` + cmp + ` (` + bind(k) + `, ` + bind(id) + `)`
	}
	live := bind(!q.Over)
	residual := ""
	join := ""
	personal := !officeOnly(a)
	if q.Phase != "" || personal && (q.Matter != "" || q.District != "") {
		join = ` JOIN cw_case c ON c.id = v.case_id`
		if q.Phase != "" {
			residual += ` AND c.phase = ` + bind(string(q.Phase))
		}
		if personal && q.Matter != "" {
			residual += ` AND c.matter = ` + bind(q.Matter)
		}
		if personal && q.District != "" {
			residual += ` AND c.district = ` + bind(q.District)
		}
	}
	scopes := narrow(a, q.Matter, q.District)
	if len(scopes) == 0 {
		return nil, nil
	}
	lim := strconv.Itoa(q.limit() + 1)
	parts := make([]string, len(scopes))
	for i, sc := range scopes {
		parts[i] = `SELECT * FROM (SELECT v.case_id, v.` + col + ` AS k FROM cw_see v` + join + ` WHERE v.scope = ` + bind(sc) + ` AND v.live = ` + live +
			after + residual + ` ORDER BY v.` + col + ` ` + dir + `, v.case_id ` + dir + ` LIMIT ` + lim + `) p` + strconv.Itoa(i)
	}
	found, err := seeks(ctx, r, strings.Join(parts, " UNION ALL "), args)
	if err != nil {
		return nil, err
	}
	return mergeSeeks(found, dir == "DESC", q.limit()+1), nil
}

func officeOnly(a ident.Actor) bool { return a.Kind == ident.KindOfficial }

func seeks(ctx context.Context, r db.Querier, sqlText string, args []any) (out []seek, err error) {
	rows, err := r.Query(ctx, sqlText, args...)
	if err != nil {
		return nil, fmt.Errorf("list: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var k seek
		if err := rows.Scan(&k.id, &k.key); err != nil {
			return nil, err
		}
		out = append(out, k)
	}
	return out, rows.Err()
}

func mergeSeeks(all []seek, desc bool, limit int) []seek {
	sort.Slice(all, func(i, j int) bool {
		a, b := all[i], all[j]
		if desc {
			a, b = b, a
		}
		if a.key != b.key {
			return a.key < b.key
		}
		return a.id < b.id
	})
	out := all[:0]
	for i, k := range all {
		if i > 0 && k.id == all[i-1].id {
			continue
		}
		out = append(out, k)
		if len(out) == limit {
			break
		}
	}
	return out
}

// search finds cases by number, by x-search fields (Chinese by bigrams) or by
// the exact value of a sensitive leaf (blind index), among those visible.
func (s *Service) search(ctx context.Context, r db.Querier, a ident.Actor, q Query) ([]seek, error) {
	scopes := narrow(a, q.Matter, q.District)
	if len(scopes) == 0 {
		return nil, nil
	}
	text := strings.TrimSpace(q.Text)
	var args []any
	bind := func(v any) string { args = append(args, v); return "$" + strconv.Itoa(len(args)) }
	cands := []string{`SELECT id AS case_id FROM cw_case WHERE no = ` + bind(text)}
	blind, err := s.blind(ctx, text)
	if err != nil {
		return nil, err
	}
	cands = append(cands, `SELECT case_id FROM cw_secret WHERE blind = `+bind(blind))
	if tokens := form.SearchTokens(text); len(tokens) > 0 {
		t := `SELECT a.case_id FROM cw_search a WHERE a.token = ` + bind(tokens[0])
		for _, tok := range tokens[1:] {
			t += ` AND EXISTS (SELECT 1 FROM cw_search b WHERE b.case_id = a.case_id AND b.token = ` + bind(tok) + `)`
		}
		cands = append(cands, t)
	}
	sqlText := `SELECT x.case_id, c.opened_at FROM (` + strings.Join(cands, " UNION ") + `) x JOIN cw_case c ON c.id = x.case_id WHERE 1 = 1`
	if q.Phase != "" {
		sqlText += ` AND c.phase = ` + bind(string(q.Phase))
	}
	if q.Cursor != "" {
		k, id, err := readCursor(q.Cursor)
		if err != nil {
			return nil, err
		}
		sqlText += ` AND (c.opened_at, c.id) < (` + bind(k) + `, ` + bind(id) + `)`
	}
	marks, sargs := in(len(args)+1, scopes)
	args = append(args, sargs...)
	sqlText += ` AND EXISTS (SELECT 1 FROM cw_see v WHERE v.case_id = c.id AND v.scope IN (` + marks + `))
		ORDER BY c.opened_at DESC, c.id DESC LIMIT ` + strconv.Itoa(q.limit()+1)
	return seeks(ctx, r, sqlText, args)
}

// cases reads the rows of a page in its order, without state, facts and settings.
func (s *Service) cases(ctx context.Context, r db.Querier, page []seek) (out []*Case, err error) {
	if len(page) == 0 {
		return nil, nil
	}
	ids := make([]string, len(page))
	for i, k := range page {
		ids[i] = k.id
	}
	marks, args := in(1, ids)
	rows, err := r.Query(ctx, `SELECT `+rowColumns+` FROM cw_case WHERE id IN (`+marks+`)`, args...)
	if err != nil {
		return nil, fmt.Errorf("list: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	byID := map[string]*Case{}
	for rows.Next() {
		c, err := scanRow(rows)
		if err != nil {
			return nil, err
		}
		byID[c.ID] = c
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	for _, id := range ids {
		if c := byID[id]; c != nil {
			out = append(out, c)
		}
	}
	return out, nil
}

// TaskQuery narrows an inbox.
type TaskQuery struct {
	View   string // all, overdue, soon, claimable, mine
	Matter string
	Node   string
	Cursor string
	Limit  int
}

// Inbox returns the tasks a may do, by deadline, a page at a time.
func (s *Service) Inbox(ctx context.Context, a ident.Actor, q TaskQuery) ([]Task, string, error) {
	limit := Query{Limit: q.Limit}.limit()
	text, args, err := s.inboxSQL(a, q, limit+1)
	if err != nil || text == "" {
		return nil, "", err
	}
	var all []Task
	err = s.o.DB.Read(ctx, func(r db.Querier) (err error) {
		rows, err := r.Query(ctx, text, args...)
		if err != nil {
			return fmt.Errorf("inbox: %w", err)
		}
		defer func() { err = errors.Join(err, rows.Close()) }()
		for rows.Next() {
			t, err := scanTask(rows)
			if err != nil {
				return err
			}
			all = append(all, t)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, "", err
	}
	sort.Slice(all, func(i, j int) bool {
		if all[i].Due != all[j].Due {
			return all[i].Due < all[j].Due
		}
		return all[i].ID < all[j].ID
	})
	out := all[:0]
	for i, t := range all {
		if i > 0 && t.ID == all[i-1].ID {
			continue
		}
		out = append(out, t)
	}
	next := ""
	if len(out) > limit {
		out = out[:limit]
		next = cursorOf(out[limit-1].Due, out[limit-1].ID)
	}
	return out, next, nil
}

func (s *Service) inboxSQL(a ident.Actor, q TaskQuery, limit int) (string, []any, error) {
	if a.Kind != ident.KindOfficial {
		return "", nil, nil
	}
	var args []any
	bind := func(v any) string { args = append(args, v); return "$" + strconv.Itoa(len(args)) }
	where := ""
	if q.Matter != "" {
		where += ` AND matter = ` + bind(q.Matter)
	}
	if q.Node != "" {
		where += ` AND node = ` + bind(q.Node)
	}
	now := s.o.DB.Clock().Now()
	switch q.View {
	case "overdue":
		where += ` AND due < ` + bind(db.MS(now))
	case "soon":
		day, err := s.Calendar().Add(calendar.DateOf(now), 2)
		if err != nil {
			return "", nil, err
		}
		where += ` AND due >= ` + bind(db.MS(now)) + ` AND due <= ` + bind(db.MS(endOf(day)))
	}
	if q.Cursor != "" {
		k, id, err := readCursor(q.Cursor)
		if err != nil {
			return "", nil, err
		}
		where += ` AND (due, id) > (` + bind(k) + `, ` + bind(id) + `)`
	}
	tail := ` ORDER BY due, id LIMIT ` + strconv.Itoa(limit)
	var parts []string
	add := func(cond string) {
		parts = append(parts, `SELECT * FROM (SELECT `+taskColumns+` FROM cw_task WHERE `+cond+where+tail+`) p`+strconv.Itoa(len(parts)))
	}
	if q.View != "claimable" {
		for _, st := range []string{taskClaimed, taskHeld} {
			add(`assignee = ` + bind(a.ID) + ` AND state = ` + bind(st))
		}
	}
	if q.View != "mine" {
		for _, p := range a.Posts {
			if ident.IsAdminRole(p.Role) {
				continue
			}
			cond := `role = ` + bind(p.Role)
			if p.District != "" {
				cond += ` AND district = ` + bind(p.District)
			}
			cond += ` AND state = ` + bind(taskOpen)
			if p.Office != "" {
				cond += ` AND office = ` + bind(p.Office)
			}
			if len(p.Matters) > 0 {
				marks, margs := in(len(args)+1, p.Matters)
				args = append(args, margs...)
				cond += ` AND matter IN (` + marks + `)`
			}
			add(cond)
		}
	}
	return strings.Join(parts, " UNION ALL "), args, nil
}

// Counts are the numbers beside the views of an inbox, each at most 999.
type Counts struct {
	All       int `json:"all"`
	Overdue   int `json:"overdue"`
	Soon      int `json:"soon"`
	Claimable int `json:"claimable"`
}

// InboxCounts counts the views of an inbox without ever counting far: past 999
// it stops.
func (s *Service) InboxCounts(ctx context.Context, a ident.Actor) (Counts, error) {
	var c Counts
	for _, v := range []struct {
		view string
		into *int
	}{{"all", &c.All}, {"overdue", &c.Overdue}, {"soon", &c.Soon}, {"claimable", &c.Claimable}} {
		text, args, err := s.inboxSQL(a, TaskQuery{View: v.view}, 999)
		if err != nil || text == "" {
			return c, err
		}
		if err := s.o.DB.Q().QueryRow(ctx, `SELECT count(*) FROM (SELECT DISTINCT id FROM (`+text+`) u) d`, args...).Scan(v.into); err != nil {
			return c, fmt.Errorf("inbox counts: %w", err)
		}
	}
	return c, nil
}

// Cases reads rows by id for a caller who found the ids through a filtered
// list, as an inbox does. Like those of List they carry no state, facts and
// settings.
func (s *Service) Cases(ctx context.Context, ids []string) (map[string]*Case, error) {
	page := make([]seek, 0, len(ids))
	seen := map[string]bool{}
	for _, id := range ids {
		if !seen[id] {
			seen[id] = true
			page = append(page, seek{id: id})
		}
	}
	all, err := s.cases(ctx, s.o.DB.Q(), page)
	if err != nil {
		return nil, err
	}
	out := make(map[string]*Case, len(all))
	for _, c := range all {
		out[c.ID] = c
	}
	return out, nil
}
