package ident

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"haoban/platform/db"
)

// mayAdmin reports whether the actor is the house itself or holds one of these
// administrators' roles.
func mayAdmin(a Actor, roles ...string) bool {
	return a.Kind == KindSystem || a.HasAnyRole(roles...)
}

// PutMember records a person's place in an organisation, or changes it. The
// organisation's own legal representative（法定代表人）, acting for it, may, and
// sysadmin and the system. A zero From is now. It returns ErrNotMember,
// ErrNoOrg, ErrNoPerson or ErrClaims.
func (d *Directory) PutMember(ctx context.Context, tx *db.Tx, a Actor, m Member) error {
	legal := a.Kind == KindPerson && a.OrgID != "" && a.OrgID == m.OrgID && a.OrgRole == MemberLegal
	if !legal && !mayAdmin(a, RoleSysAdmin) {
		return ErrNotMember
	}
	if _, err := d.Org(ctx, tx, m.OrgID); err != nil {
		return err
	}
	var one int
	err := tx.QueryRow(ctx, `SELECT 1 FROM ident_person WHERE id = $1`, m.PersonID).Scan(&one)
	if errors.Is(err, db.ErrNoRows) {
		return ErrNoPerson
	}
	if err != nil {
		return fmt.Errorf("person: %w", err)
	}
	if m.Source == "" {
		m.Source = a.ID
	}
	return d.putMember(ctx, tx, a, m)
}

func (d *Directory) putMember(ctx context.Context, tx *db.Tx, a Actor, m Member) error {
	if !slices.Contains([]string{MemberLegal, MemberAgent, MemberClerk}, m.Role) {
		return ErrClaims.With("role", "enum", "没有这种办事身份")
	}
	old, err := d.member(ctx, tx, m.OrgID, m.PersonID)
	known := err == nil
	if err != nil && !errors.Is(err, ErrNotMember) {
		return err
	}
	if m.From.IsZero() {
		m.From = tx.Now()
		if known && old.ValidAt(tx.Now()) {
			m.From = old.From
		}
	}
	if !m.To.IsZero() && !m.To.After(m.From) {
		return ErrClaims.With("to", "after", "有效期止早于起")
	}
	if known && old.Role == m.Role && slices.Equal(old.Matters, m.Matters) && old.Source == m.Source &&
		db.MS(old.From) == db.MS(m.From) && db.MS(old.To) == db.MS(m.To) {
		return nil
	}
	matters, err := list(m.Matters)
	if err != nil {
		return err
	}
	mac, err := d.mac(ctx, "member", memberFields(m, matters)...)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO ident_member (org_id, person_id, role, matters, source, valid_from, valid_to, mac)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT (org_id, person_id) DO UPDATE SET role = excluded.role, matters = excluded.matters, source = excluded.source,
			valid_from = excluded.valid_from, valid_to = excluded.valid_to, mac = excluded.mac`,
		m.OrgID, m.PersonID, m.Role, matters, m.Source, db.MS(m.From), db.MS(m.To), mac)
	if err != nil {
		return fmt.Errorf("put member: %w", err)
	}
	return record(ctx, tx, "ident.member.put", a, m.OrgID, map[string]string{"person": m.PersonID, "role": m.Role, "source": m.Source})
}

func memberFields(m Member, matters string) []string {
	return []string{m.OrgID + "/" + m.PersonID, m.Role, matters, m.Source, num(db.MS(m.From)), num(db.MS(m.To))}
}

// EndMember ends a person's place in an organisation now. Whoever may PutMember
// may. It returns ErrNotMember if there is none.
func (d *Directory) EndMember(ctx context.Context, tx *db.Tx, a Actor, org OrgID, person PersonID) error {
	legal := a.Kind == KindPerson && a.OrgID != "" && a.OrgID == org && a.OrgRole == MemberLegal
	if !legal && !mayAdmin(a, RoleSysAdmin) {
		return ErrNotMember
	}
	m, err := d.scanMember(ctx, tx.QueryRow(ctx, `SELECT `+memberColumns+` FROM ident_member
		WHERE org_id = $1 AND person_id = $2`+tx.Dialect().ForUpdate(), org, person).Scan)
	if err != nil {
		return err
	}
	if !m.ValidAt(tx.Now()) {
		return ErrNotMember
	}
	m.To, m.Source = tx.Now(), a.ID
	matters, err := list(m.Matters)
	if err != nil {
		return err
	}
	mac, err := d.mac(ctx, "member", memberFields(m, matters)...)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `UPDATE ident_member SET valid_to = $3, source = $4, mac = $5 WHERE org_id = $1 AND person_id = $2`,
		org, person, db.MS(m.To), m.Source, mac); err != nil {
		return fmt.Errorf("end member: %w", err)
	}
	return record(ctx, tx, "ident.member.end", a, org, map[string]string{"person": person})
}

const memberColumns = `org_id, person_id, role, matters, source, valid_from, valid_to, mac`

func (d *Directory) scanMember(ctx context.Context, scan func(...any) error) (Member, error) {
	var m Member
	var matters string
	var from, to int64
	var mac []byte
	if err := scan(&m.OrgID, &m.PersonID, &m.Role, &matters, &m.Source, &from, &to, &mac); err != nil {
		if errors.Is(err, db.ErrNoRows) {
			return Member{}, ErrNotMember
		}
		return Member{}, fmt.Errorf("member: %w", err)
	}
	m.From, m.To = db.Time(from), db.Time(to)
	if err := d.check(ctx, mac, "member", memberFields(m, matters)...); err != nil {
		return Member{}, err
	}
	var err error
	m.Matters, err = unlist(matters)
	return m, err
}

// member returns the place of a person in an organisation, valid now or not.
func (d *Directory) member(ctx context.Context, q db.Querier, org OrgID, person PersonID) (Member, error) {
	return d.scanMember(ctx, q.QueryRow(ctx, `SELECT `+memberColumns+` FROM ident_member WHERE org_id = $1 AND person_id = $2`, org, person).Scan)
}

// Members returns everybody who has or had a place in the organisation.
func (d *Directory) Members(ctx context.Context, q db.Querier, org OrgID) ([]Member, error) {
	return d.members(ctx, q, `SELECT `+memberColumns+` FROM ident_member WHERE org_id = $1 ORDER BY person_id`, org)
}

// Memberships returns every place the person has or had.
func (d *Directory) Memberships(ctx context.Context, q db.Querier, person PersonID) ([]Member, error) {
	return d.members(ctx, q, `SELECT `+memberColumns+` FROM ident_member WHERE person_id = $1 ORDER BY org_id`, person)
}

func (d *Directory) members(ctx context.Context, q db.Querier, sql, id string) (_ []Member, err error) {
	rows, err := q.Query(ctx, sql, id)
	if err != nil {
		return nil, fmt.Errorf("members: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	var out []Member
	for rows.Next() {
		m, err := d.scanMember(ctx, rows.Scan)
		if err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	return out, rows.Err()
}

// OrgsOf returns the valid organisations a person may act for now, in the
// order of their ids.
func (d *Directory) OrgsOf(ctx context.Context, q db.Querier, person PersonID) ([]Org, error) {
	ms, err := d.Memberships(ctx, q, person)
	if err != nil {
		return nil, err
	}
	now := d.opt.DB.Clock().Now()
	var out []Org
	for _, m := range ms {
		if !m.ValidAt(now) {
			continue
		}
		o, err := d.Org(ctx, q, m.OrgID)
		if err != nil {
			return nil, err
		}
		if o.ValidAt(now) {
			out = append(out, o)
		}
	}
	return out, nil
}

// acting returns a with the organisation it acts for filled in. It returns
// ErrNotMember when the place or the organisation is not valid now.
func (d *Directory) acting(ctx context.Context, q db.Querier, a Actor, org OrgID) (Actor, error) {
	m, err := d.member(ctx, q, org, a.PersonID)
	if err != nil {
		return a, err
	}
	o, err := d.Org(ctx, q, org)
	if err != nil {
		return a, err
	}
	now := d.opt.DB.Clock().Now()
	if !m.ValidAt(now) || !o.ValidAt(now) {
		return a, ErrNotMember
	}
	a.OrgID, a.OrgName, a.OrgKind, a.OrgRole, a.OrgMatter = o.ID, o.Name, o.Kind, m.Role, m.Matters
	return a, nil
}
