package ident

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"haoban/platform/codes"
	"haoban/platform/db"
)

// OrgKinds returns the kinds of organisation, offices first.
func OrgKinds() []string {
	return []string{
		OrgBureau, OrgRegistration, OrgDistrict, OrgStreet, OrgDepartment,
		OrgCompany, OrgBank, OrgAgency, OrgNotary,
	}
}

// OrgClaims is what a company's certificate log-in（法人一证通）says.
type OrgClaims struct {
	Name     string
	USCC     string
	Kind     string    // empty: OrgCompany; an organisation the house knows keeps its kind
	Person   Claims    // who holds the certificate
	Role     string    // MemberLegal, MemberAgent or MemberClerk
	Matters  []string  // what they may file; empty: everything
	Until    time.Time // end of their authority; zero: none
	Source   string    // who says so
	District string
}

// PutOrg makes or changes an organisation, which is found again by its ID, else
// its Code, else its USCC; sysadmin and the system may. A zero ValidFrom is
// now. It returns the id, ErrAdmin, ErrClaims naming the field, or ErrOrgTaken.
func (d *Directory) PutOrg(ctx context.Context, tx *db.Tx, a Actor, o Org) (OrgID, error) {
	if !mayAdmin(a, RoleSysAdmin) {
		return "", ErrAdmin
	}
	return d.putOrg(ctx, tx, a, o)
}

func (d *Directory) putOrg(ctx context.Context, tx *db.Tx, a Actor, o Org) (OrgID, error) {
	o, err := normalOrg(o)
	if err != nil {
		return "", err
	}
	if o.Parent != "" {
		if _, err := d.Org(ctx, tx, o.Parent); err != nil {
			return "", err
		}
	}
	old, err := sameOrg(ctx, tx, o)
	if errors.Is(err, ErrNoOrg) {
		n := o
		if n.ID == "" {
			n.ID = db.NewID()
		}
		if n.ValidFrom.IsZero() {
			n.ValidFrom = tx.Now()
		}
		made, err := insertOrg(ctx, tx, n)
		if err != nil {
			return "", err
		}
		if made {
			return n.ID, record(ctx, tx, "ident.org.new", a, n.ID, map[string]string{"kind": n.Kind, "code": n.Code})
		}
		// Somebody made it at the same moment.
		old, err = sameOrg(ctx, tx, o)
		if err != nil {
			return "", err
		}
	} else if err != nil {
		return "", err
	}
	o.ID = old.ID
	if o.ValidFrom.IsZero() {
		o.ValidFrom = old.ValidFrom
	}
	if sameFacts(old, o) {
		return o.ID, nil
	}
	_, err = tx.Exec(ctx, `UPDATE ident_org SET kind = $2, code = $3, name = $4, parent = $5, district = $6, uscc = $7,
		valid_from = $8, valid_to = $9 WHERE id = $1`,
		o.ID, o.Kind, null(o.Code), o.Name, o.Parent, o.District, null(o.USCC), db.MS(o.ValidFrom), db.MS(o.ValidTo))
	if db.Duplicate(err) {
		return "", ErrOrgTaken.Wrap(err)
	}
	if err != nil {
		return "", fmt.Errorf("change org: %w", err)
	}
	return o.ID, record(ctx, tx, "ident.org.change", a, o.ID, map[string]string{"kind": o.Kind, "code": o.Code})
}

func insertOrg(ctx context.Context, tx *db.Tx, o Org) (bool, error) {
	res, err := tx.Exec(ctx, `INSERT INTO ident_org (id, kind, code, name, parent, district, uscc, valid_from, valid_to, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING`,
		o.ID, o.Kind, null(o.Code), o.Name, o.Parent, o.District, null(o.USCC), db.MS(o.ValidFrom), db.MS(o.ValidTo), tx.NowMS())
	if err != nil {
		return false, fmt.Errorf("make org: %w", err)
	}
	n, err := res.RowsAffected()
	if err != nil {
		return false, fmt.Errorf("make org: %w", err)
	}
	return n == 1, nil
}

func normalOrg(o Org) (Org, error) {
	o.Name = strings.TrimSpace(o.Name)
	if o.Name == "" || len(o.Name) > 300 {
		return o, ErrClaims.With("name", "required", "缺少单位名称")
	}
	if !slices.Contains(OrgKinds(), o.Kind) {
		return o, ErrClaims.With("kind", "enum", "没有这种单位类型")
	}
	if o.USCC != "" {
		u, err := codes.ParseUSCC(o.USCC)
		if err != nil {
			return o, ErrClaims.With("uscc", "uscc", "统一社会信用代码不正确").Wrap(err)
		}
		o.USCC = u.String()
	}
	if !o.ValidTo.IsZero() && !o.ValidTo.After(o.ValidFrom) {
		return o, ErrClaims.With("validTo", "after", "有效期止早于起")
	}
	return o, nil
}

func sameFacts(a, b Org) bool {
	return a.Kind == b.Kind && a.Code == b.Code && a.Name == b.Name && a.Parent == b.Parent && a.District == b.District &&
		a.USCC == b.USCC && db.MS(a.ValidFrom) == db.MS(b.ValidFrom) && db.MS(a.ValidTo) == db.MS(b.ValidTo)
}

func null(s string) sql.NullString { return sql.NullString{String: s, Valid: s != ""} }

const orgColumns = `id, kind, COALESCE(code, ''), name, parent, district, COALESCE(uscc, ''), valid_from, valid_to`

func scanOrg(scan func(...any) error) (Org, error) {
	var o Org
	var from, to int64
	if err := scan(&o.ID, &o.Kind, &o.Code, &o.Name, &o.Parent, &o.District, &o.USCC, &from, &to); err != nil {
		if errors.Is(err, db.ErrNoRows) {
			return Org{}, ErrNoOrg
		}
		return Org{}, fmt.Errorf("org: %w", err)
	}
	o.ValidFrom, o.ValidTo = db.Time(from), db.Time(to)
	return o, nil
}

func sameOrg(ctx context.Context, q db.Querier, o Org) (Org, error) {
	for _, k := range []struct{ column, value string }{{"id", o.ID}, {"code", o.Code}, {"uscc", o.USCC}} {
		if k.value == "" {
			continue
		}
		got, err := scanOrg(q.QueryRow(ctx, `SELECT `+orgColumns+` FROM ident_org WHERE `+k.column+` = $1`, k.value).Scan)
		if !errors.Is(err, ErrNoOrg) {
			return got, err
		}
	}
	return Org{}, ErrNoOrg
}

// Org returns an organisation, whether valid now or not. It returns ErrNoOrg.
func (d *Directory) Org(ctx context.Context, q db.Querier, id OrgID) (Org, error) {
	return scanOrg(q.QueryRow(ctx, `SELECT `+orgColumns+` FROM ident_org WHERE id = $1`, id).Scan)
}

// OrgByCode returns the organisation of a house code. It returns ErrNoOrg.
func (d *Directory) OrgByCode(ctx context.Context, q db.Querier, code string) (Org, error) {
	return scanOrg(q.QueryRow(ctx, `SELECT `+orgColumns+` FROM ident_org WHERE code = $1`, code).Scan)
}

// OrgByUSCC returns the organisation of a credit code. It returns ErrNoOrg.
func (d *Directory) OrgByUSCC(ctx context.Context, q db.Querier, uscc string) (Org, error) {
	return scanOrg(q.QueryRow(ctx, `SELECT `+orgColumns+` FROM ident_org WHERE uscc = $1`, codes.Normalise(uscc)).Scan)
}

// OrgFilter chooses organisations; an empty part does not choose.
type OrgFilter struct {
	Kinds    []string
	District string
	Text     string // part of the name
	Parent   OrgID
	After    OrgID // keyset: the last id of the page before
	Limit    int   // 0: 50, at most 200
}

// Orgs returns organisations in the order of their ids.
func (d *Directory) Orgs(ctx context.Context, q db.Querier, f OrgFilter) (_ []Org, err error) {
	w := where{}
	if len(f.Kinds) > 0 {
		w.in("kind", f.Kinds)
	}
	w.eq("district", f.District)
	w.eq("parent", f.Parent)
	if f.Text != "" {
		w.add(d.opt.DB.Dialect().Contains("name", "$?"), f.Text)
	}
	if f.After != "" {
		w.add("id > $?", f.After)
	}
	rows, err := q.Query(ctx, `SELECT `+orgColumns+` FROM ident_org`+w.sql()+` ORDER BY id LIMIT `+num(int64(limit(f.Limit))), w.args...)
	if err != nil {
		return nil, fmt.Errorf("orgs: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	var out []Org
	for rows.Next() {
		o, err := scanOrg(rows.Scan)
		if err != nil {
			return nil, err
		}
		out = append(out, o)
	}
	return out, rows.Err()
}

// where gathers conditions; "$?" stands for the next bind.
type where struct {
	conds []string
	args  []any
}

func (w *where) add(cond string, arg any) {
	w.args = append(w.args, arg)
	w.conds = append(w.conds, strings.ReplaceAll(cond, "$?", fmt.Sprintf("$%d", len(w.args))))
}

func (w *where) eq(column, value string) {
	if value != "" {
		w.add(column+" = $?", value)
	}
}

func (w *where) in(column string, values []string) {
	var marks []string
	for _, v := range values {
		w.args = append(w.args, v)
		marks = append(marks, fmt.Sprintf("$%d", len(w.args)))
	}
	w.conds = append(w.conds, column+" IN ("+strings.Join(marks, ", ")+")")
}

func (w *where) sql() string {
	if len(w.conds) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(w.conds, " AND ")
}

func limit(n int) int {
	switch {
	case n <= 0:
		return 50
	case n > 200:
		return 200
	default:
		return n
	}
}

// LoginOrg records what a company's certificate log-in says: the organisation,
// the person who holds the certificate, and the person's place in it. It may
// be called any number of times. It returns both ids, ErrClaims when the
// claims cannot be right, or ErrNoOrg for an organisation the house has closed.
// What the organisation itself said about the person (PutMember, EndMember)
// stands against the certificate: ended there, the log-in is ErrNotMember.
func (d *Directory) LoginOrg(ctx context.Context, tx *db.Tx, c OrgClaims) (OrgID, PersonID, error) {
	if c.USCC == "" {
		return "", "", ErrClaims.With("uscc", "required", "缺少统一社会信用代码")
	}
	if c.Kind == "" {
		c.Kind = OrgCompany
	}
	if c.Person.Source == "" {
		c.Person.Source = c.Source
	}
	o := Org{Kind: c.Kind, Name: c.Name, USCC: c.USCC, District: c.District}
	actor := System(c.Source)
	old, err := d.OrgByUSCC(ctx, tx, c.USCC)
	switch {
	case errors.Is(err, ErrNoOrg):
	case err != nil:
		return "", "", err
	case !old.ValidAt(tx.Now()):
		return "", "", ErrNoOrg
	default:
		o = old
		o.Name = c.Name
	}
	org, err := d.putOrg(ctx, tx, actor, o)
	if err != nil {
		return "", "", err
	}
	person, err := d.UpsertPerson(ctx, tx, c.Person)
	if err != nil {
		return "", "", err
	}
	m := Member{OrgID: org, PersonID: person, Role: c.Role, Matters: c.Matters, Source: c.Source, To: c.Until}
	have, err := d.member(ctx, tx, org, person)
	switch {
	case errors.Is(err, ErrNotMember):
	case err != nil:
		return "", "", err
	case have.Source != c.Source && !have.ValidAt(tx.Now()):
		return "", "", ErrNotMember
	case have.Source != c.Source:
		return org, person, nil
	}
	if err := d.putMember(ctx, tx, actor, m); err != nil {
		return "", "", err
	}
	return org, person, nil
}
