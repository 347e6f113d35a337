package ident

import (
	"context"
	"errors"
	"fmt"
	"net/mail"
	"strings"
	"time"
	"unicode/utf8"

	"haoban/platform/codes"
	"haoban/platform/db"
)

// The fields under which a person's claims are kept.
const (
	FieldName    = "name"    // 姓名
	FieldIDNo    = "idno"    // 证件号码
	FieldMobile  = "mobile"  // 手机号, as the login provider gave it
	FieldPhone   = "phone"   // 联系手机, confirmed by a code
	FieldAddress = "address" // 联系地址
	FieldEmail   = "email"   // 电子邮箱
)

// IDResident is the kind of the resident identity number 居民身份证, the
// default of Claims.IDKind. Other kinds (passport, 港澳台通行证…) are free text.
const IDResident = "resident"

// Claims is what a login provider says about a person.
type Claims struct {
	Name   string
	IDKind string // empty: IDResident
	IDNo   string
	Mobile string    // may be empty
	Level  int       // 实名认证级别, 1 to 4; 0: nobody checked
	Source string    // who says so ("ywtb")
	At     time.Time // since when; zero: now
}

// Claim is one thing known about a person, from whom and since when.
type Claim struct {
	Field  string
	Value  string
	Source string
	At     time.Time
}

// Person is a natural person with everything known about them, in clear. It is
// for the person's own screens and for filling their forms; never log it.
type Person struct {
	ID     PersonID
	Level  int
	Claims map[string]Claim // by field
}

// Value returns the value of a field, empty if it is not known.
func (p Person) Value(field string) string { return p.Claims[field].Value }

// Name returns the person's name.
func (p Person) Name() string { return p.Value(FieldName) }

// Phone returns the number to reach the person at: the one confirmed by code,
// else the login provider's.
func (p Person) Phone() string {
	if v := p.Value(FieldPhone); v != "" {
		return v
	}
	return p.Value(FieldMobile)
}

// IDNo returns the kind and number of the person's identity paper.
func (p Person) IDNo() (kind, no string) {
	kind, no, _ = strings.Cut(p.Value(FieldIDNo), ":")
	return kind, no
}

func (c Claims) normal() (Claims, error) {
	c.Name = strings.TrimSpace(c.Name)
	if c.Name == "" || utf8.RuneCountInString(c.Name) > 64 {
		return c, ErrClaims.With("name", "required", "缺少姓名")
	}
	if c.Source == "" {
		return c, ErrClaims.With("source", "required", "缺少来源")
	}
	if c.IDKind == "" {
		c.IDKind = IDResident
	}
	no, err := normalIDNo(c.IDKind, c.IDNo)
	if err != nil {
		return c, err
	}
	c.IDNo = no
	if c.Mobile != "" {
		m, err := codes.ParseMobile(c.Mobile)
		if err != nil {
			return c, ErrClaims.With("mobile", "mobile", "手机号码不正确").Wrap(err)
		}
		c.Mobile = m.String()
	}
	return c, nil
}

func normalIDNo(kind, no string) (string, error) {
	if kind == "" || kind == IDResident {
		r, err := codes.ParseResidentID(no)
		if err != nil {
			return "", ErrClaims.With("idNo", "resident-id", "身份证号不正确").Wrap(err)
		}
		return r.String(), nil
	}
	no = strings.ToUpper(codes.Normalise(no))
	if no == "" || len(no) > 64 || strings.Contains(kind, ":") {
		return "", ErrClaims.With("idNo", "required", "缺少证件号码")
	}
	return no, nil
}

// UpsertPerson records what a login provider says and returns the person of
// that identity number, making one if there is none. It may be called any
// number of times, also at once; only what differs is written and audited.
// Claims of a lower level than the person already has fill gaps but change
// nothing. It returns ErrClaims when the claims cannot be right.
func (d *Directory) UpsertPerson(ctx context.Context, tx *db.Tx, c Claims) (PersonID, error) {
	c, err := c.normal()
	if err != nil {
		return "", err
	}
	ix, err := d.index(ctx, FieldIDNo, c.IDKind+":"+c.IDNo)
	if err != nil {
		return "", err
	}
	actor := System(c.Source)
	id, now := db.NewID(), tx.NowMS()
	res, err := tx.Exec(ctx, `INSERT INTO ident_person (id, idno_ix, level, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $4) ON CONFLICT (idno_ix) DO NOTHING`, id, ix, c.Level, now)
	if err != nil {
		return "", fmt.Errorf("insert person: %w", err)
	}
	if n, err := res.RowsAffected(); err != nil {
		return "", fmt.Errorf("insert person: %w", err)
	} else if n == 1 {
		if err := record(ctx, tx, "ident.person.new", actor, id, map[string]string{"source": c.Source}); err != nil {
			return "", err
		}
	}
	var level int
	err = tx.QueryRow(ctx, `SELECT id, level FROM ident_person WHERE idno_ix = $1`+tx.Dialect().ForUpdate(), ix).Scan(&id, &level)
	if err != nil {
		return "", fmt.Errorf("find person: %w", err)
	}
	have, err := d.claims(ctx, tx, id)
	if err != nil {
		return "", err
	}
	since := now
	if !c.At.IsZero() {
		since = db.MS(c.At)
	}
	for _, f := range []struct{ field, value string }{
		{FieldName, c.Name}, {FieldIDNo, c.IDKind + ":" + c.IDNo}, {FieldMobile, c.Mobile},
	} {
		old, known := have[f.field]
		if f.value == "" || known && (old.Value == f.value || c.Level < level) {
			continue
		}
		if err := d.putClaim(ctx, tx, actor, id, f.field, f.value, c.Source, since); err != nil {
			return "", err
		}
	}
	if c.Level > level {
		if _, err := tx.Exec(ctx, `UPDATE ident_person SET level = $2, updated_at = $3 WHERE id = $1`, id, c.Level, now); err != nil {
			return "", fmt.Errorf("level: %w", err)
		}
	}
	return id, nil
}

// putClaim writes one claim and its blind index and audits that it changed;
// the value itself is not audited.
func (d *Directory) putClaim(ctx context.Context, tx *db.Tx, a Actor, id PersonID, field, value, source string, since int64) error {
	sealed, err := d.seal(ctx, id, field, value)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO ident_claim (person_id, field, sealed, source, at) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (person_id, field) DO UPDATE SET sealed = excluded.sealed, source = excluded.source, at = excluded.at`,
		id, field, sealed, source, since)
	if err != nil {
		return fmt.Errorf("claim %s: %w", field, err)
	}
	column := map[string]string{FieldMobile: "mobile_ix", FieldPhone: "phone_ix"}[field]
	if column != "" {
		ix, err := d.index(ctx, "mobile", value)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `UPDATE ident_person SET `+column+` = $2 WHERE id = $1`, id, ix); err != nil {
			return fmt.Errorf("index %s: %w", field, err)
		}
	}
	if _, err := tx.Exec(ctx, `UPDATE ident_person SET updated_at = $2 WHERE id = $1`, id, tx.NowMS()); err != nil {
		return fmt.Errorf("claim %s: %w", field, err)
	}
	return record(ctx, tx, "ident.person.claim", a, id, map[string]string{"field": field, "source": source})
}

func (d *Directory) claims(ctx context.Context, q db.Querier, id PersonID) (_ map[string]Claim, err error) {
	rows, err := q.Query(ctx, `SELECT field, sealed, source, at FROM ident_claim WHERE person_id = $1`, id)
	if err != nil {
		return nil, fmt.Errorf("claims: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	out := map[string]Claim{}
	for rows.Next() {
		var c Claim
		var sealed []byte
		var since int64
		if err := rows.Scan(&c.Field, &sealed, &c.Source, &since); err != nil {
			return nil, fmt.Errorf("claims: %w", err)
		}
		if c.Value, err = d.open(ctx, id, c.Field, sealed); err != nil {
			return nil, err
		}
		c.At = db.Time(since)
		out[c.Field] = c
	}
	return out, rows.Err()
}

// Person returns a person with their claims in clear. It returns ErrNoPerson.
func (d *Directory) Person(ctx context.Context, q db.Querier, id PersonID) (Person, error) {
	p := Person{ID: id}
	err := q.QueryRow(ctx, `SELECT level FROM ident_person WHERE id = $1`, id).Scan(&p.Level)
	if errors.Is(err, db.ErrNoRows) {
		return Person{}, ErrNoPerson
	}
	if err != nil {
		return Person{}, fmt.Errorf("person: %w", err)
	}
	if p.Claims, err = d.claims(ctx, q, id); err != nil {
		return Person{}, err
	}
	return p, nil
}

// FindPerson returns the person of an identity number; an empty kind is
// IDResident. It returns ErrNoPerson, or ErrClaims for an impossible number.
func (d *Directory) FindPerson(ctx context.Context, q db.Querier, kind, no string) (PersonID, error) {
	if kind == "" {
		kind = IDResident
	}
	no, err := normalIDNo(kind, no)
	if err != nil {
		return "", err
	}
	ix, err := d.index(ctx, FieldIDNo, kind+":"+no)
	if err != nil {
		return "", err
	}
	var id PersonID
	err = q.QueryRow(ctx, `SELECT id FROM ident_person WHERE idno_ix = $1`, ix).Scan(&id)
	if errors.Is(err, db.ErrNoRows) {
		return "", ErrNoPerson
	}
	if err != nil {
		return "", fmt.Errorf("find person: %w", err)
	}
	return id, nil
}

// FindByMobile returns the persons known under a mobile, from the login
// provider or confirmed; several persons may share one.
func (d *Directory) FindByMobile(ctx context.Context, q db.Querier, mobile string) (_ []PersonID, err error) {
	m, err := codes.ParseMobile(mobile)
	if err != nil {
		return nil, ErrMobile.Wrap(err)
	}
	ix, err := d.index(ctx, "mobile", m.String())
	if err != nil {
		return nil, err
	}
	return texts(ctx, q, `SELECT id FROM ident_person WHERE mobile_ix = $1 OR phone_ix = $1 ORDER BY id`, ix)
}

// texts returns the one text column of a query.
func texts(ctx context.Context, q db.Querier, sql string, args ...any) (_ []string, err error) {
	rows, err := q.Query(ctx, sql, args...)
	if err != nil {
		return nil, fmt.Errorf("query: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	var out []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return nil, fmt.Errorf("scan: %w", err)
		}
		out = append(out, s)
	}
	return out, rows.Err()
}

// Contact is what a person may change about themselves. A nil field stays.
type Contact struct {
	Address *string
	Email   *string
}

// SetContact changes the actor's own contact address and e-mail; an empty
// text clears. It returns ErrContact naming the field, ErrNoPerson if the
// actor is not a person.
func (d *Directory) SetContact(ctx context.Context, tx *db.Tx, a Actor, c Contact) error {
	if a.Kind != KindPerson || a.PersonID == "" {
		return ErrNoPerson
	}
	have, err := d.claims(ctx, tx, a.PersonID)
	if err != nil {
		return err
	}
	for _, f := range []struct {
		field string
		value *string
		right func(string) bool
		msg   string
	}{
		{FieldAddress, c.Address, func(s string) bool { return utf8.RuneCountInString(s) <= 200 }, "地址最多 200 字"},
		{FieldEmail, c.Email, validEmail, "电子邮箱不正确"},
	} {
		if f.value == nil {
			continue
		}
		v := strings.TrimSpace(*f.value)
		if v != "" && !f.right(v) {
			return ErrContact.With(f.field, f.field, f.msg)
		}
		if have[f.field].Value == v {
			continue
		}
		if err := d.putClaim(ctx, tx, a, a.PersonID, f.field, v, "self", tx.NowMS()); err != nil {
			return err
		}
	}
	return nil
}

func validEmail(s string) bool {
	a, err := mail.ParseAddress(s)
	return err == nil && a.Address == s && len(s) <= 254
}

// PersonActor returns the actor of a person outside any session, as for a job
// that goes on with what they began.
func (d *Directory) PersonActor(ctx context.Context, q db.Querier, id PersonID) (Actor, error) {
	p, err := d.Person(ctx, q, id)
	if err != nil {
		return Actor{}, err
	}
	return Actor{Kind: KindPerson, ID: id, Name: p.Name(), PersonID: id}, nil
}
