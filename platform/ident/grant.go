package ident

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"haoban/platform/codes"
	"haoban/platform/db"
	"haoban/platform/errs"
)

// PersonPrincipal returns the principal that is a person.
func PersonPrincipal(id PersonID) Principal { return Principal{Kind: PrincipalPerson, ID: id} }

// OrgPrincipal returns the principal that is an organisation.
func OrgPrincipal(id OrgID) Principal { return Principal{Kind: PrincipalOrg, ID: id} }

// Principal returns whom the actor speaks for: the organisation acted for,
// else the person. It is the zero Principal for others.
func (a Actor) Principal() Principal {
	switch {
	case a.Kind != KindPerson:
		return Principal{}
	case a.OrgID != "":
		return OrgPrincipal(a.OrgID)
	default:
		return PersonPrincipal(a.PersonID)
	}
}

// NewGrant is a grant to be opened.
type NewGrant struct {
	To      OrgID
	Matters []string  // at least one
	Unit    string    // one subject unit, empty for any
	Until   time.Time // end, exclusive; in the future
}

// OpenGrant records that whom the actor speaks for lets an organisation act for
// them. It returns ErrGrantFrom (an official, or a clerk of an organisation),
// ErrNoOrg for an unknown or closed organisation, or ErrGrantBad naming fields.
func (d *Directory) OpenGrant(ctx context.Context, tx *db.Tx, a Actor, n NewGrant) (Grant, error) {
	from := a.Principal()
	if from.ID == "" || from.Kind == PrincipalOrg && a.OrgRole == MemberClerk {
		return Grant{}, ErrGrantFrom
	}
	bad := ErrGrantBad
	if len(n.Matters) == 0 || slices.Contains(n.Matters, "") {
		bad = bad.With("matters", "required", "请选择要授权的事项")
	}
	if from == OrgPrincipal(n.To) {
		bad = bad.With("orgId", "self", "不能授权给自己")
	}
	if !n.Until.After(tx.Now()) {
		bad = bad.With("until", "future", "授权期限须晚于今天")
	}
	if n.Unit != "" {
		u, err := codes.ParseUnitCode(n.Unit)
		if err != nil {
			bad = bad.With("unit", "unit-code", "不动产单元号不正确")
		}
		n.Unit = u.String()
	}
	if len(bad.Fields) > 0 {
		return Grant{}, bad
	}
	to, err := d.Org(ctx, tx, n.To)
	if err != nil {
		return Grant{}, err
	}
	if !to.ValidAt(tx.Now()) {
		return Grant{}, ErrNoOrg
	}
	matters := slices.Clone(n.Matters)
	slices.Sort(matters)
	g := Grant{
		ID: db.NewID(), From: from, To: n.To, Matters: slices.Compact(matters), Unit: n.Unit,
		Until: db.Time(db.MS(n.Until)), State: GrantOpen, OpenedAt: db.Time(tx.NowMS()), OpenedBy: a.ID,
	}
	text, err := list(g.Matters)
	if err != nil {
		return Grant{}, err
	}
	mac, err := d.mac(ctx, "grant", grantFields(g, text)...)
	if err != nil {
		return Grant{}, err
	}
	_, err = tx.Exec(ctx, `INSERT INTO ident_grant (id, from_kind, from_id, to_org, matters, unit, until_at, state, opened_at, opened_by, mac)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
		g.ID, from.Kind, from.ID, g.To, text, g.Unit, db.MS(g.Until), g.State, db.MS(g.OpenedAt), g.OpenedBy, mac)
	if err != nil {
		return Grant{}, fmt.Errorf("open grant: %w", err)
	}
	return g, record(ctx, tx, "ident.grant.open", a, g.ID, map[string]string{
		"from": from.ID, "to": g.To, "matter": strings.Join(g.Matters, " "), "unit": g.Unit, "until": g.Until.Format(time.RFC3339),
	})
}

func grantFields(g Grant, matters string) []string {
	return []string{
		g.ID, g.From.Kind, g.From.ID, g.To, matters, g.Unit, num(db.MS(g.Until)), g.State,
		num(db.MS(g.OpenedAt)), g.OpenedBy, num(db.MS(g.RevokedAt)), g.RevokedBy,
	}
}

// RevokeGrant takes a grant back. Whoever the grant is from may, and nobody
// else: to others it answers ErrGrantUnknown. A grant already revoked gives
// ErrGrantDone.
func (d *Directory) RevokeGrant(ctx context.Context, tx *db.Tx, a Actor, id GrantID) error {
	g, err := d.scanGrant(ctx, tx.QueryRow(ctx, `SELECT `+grantColumns+` FROM ident_grant WHERE id = $1`+tx.Dialect().ForUpdate(), id).Scan)
	if err != nil {
		return err
	}
	if from := a.Principal(); from.ID == "" || from != g.From {
		return ErrGrantUnknown
	}
	if g.From.Kind == PrincipalOrg && a.OrgRole == MemberClerk {
		return ErrGrantFrom
	}
	if g.State == GrantRevoked {
		return ErrGrantDone
	}
	g.State, g.RevokedAt, g.RevokedBy = GrantRevoked, tx.Now(), a.ID
	text, err := list(g.Matters)
	if err != nil {
		return err
	}
	mac, err := d.mac(ctx, "grant", grantFields(g, text)...)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `UPDATE ident_grant SET state = $2, revoked_at = $3, revoked_by = $4, mac = $5 WHERE id = $1`,
		id, g.State, db.MS(g.RevokedAt), g.RevokedBy, mac); err != nil {
		return fmt.Errorf("revoke grant: %w", err)
	}
	return record(ctx, tx, "ident.grant.revoke", a, id, map[string]string{"from": g.From.ID, "to": g.To})
}

// FindGrant returns the grant by which organisation to may act for from in a
// matter, about a unit (empty: about none in particular, which only a grant for
// any unit covers), at a moment. With none it says why by the nearest miss:
// ErrNoGrant, ErrGrantMatter, ErrGrantUnit, ErrGrantExpired or ErrGrantRevoked.
func (d *Directory) FindGrant(ctx context.Context, q db.Querier, from Principal, to OrgID, matter, unit string, at time.Time) (Grant, error) {
	gs, err := d.grants(ctx, q, `from_kind = $1 AND from_id = $2 AND to_org = $3`, from.Kind, from.ID, to)
	if err != nil {
		return Grant{}, err
	}
	reason, depth := ErrNoGrant, 0
	for _, g := range gs {
		miss, n := g.misses(matter, unit, at), 0
		switch miss {
		case nil:
			return g, nil
		case ErrGrantMatter:
			n = 1
		case ErrGrantUnit:
			n = 2
		case ErrGrantExpired:
			n = 3
		case ErrGrantRevoked:
			n = 4
		}
		if n > depth {
			reason, depth = miss, n
		}
	}
	return Grant{}, reason
}

// Covers returns nil when the grant allows this matter and unit at a moment,
// and otherwise the refusal.
func (g Grant) Covers(matter, unit string, at time.Time) error {
	if miss := g.misses(matter, unit, at); miss != nil {
		return miss
	}
	return nil
}

// misses looks at the matter first and at revocation last, so that of several
// refusals the nearest to a yes is told.
func (g Grant) misses(matter, unit string, at time.Time) *errs.Error {
	switch {
	case !slices.Contains(g.Matters, matter):
		return ErrGrantMatter
	case g.Unit != "" && g.Unit != unit:
		return ErrGrantUnit
	case g.State == GrantRevoked && !g.RevokedAt.After(at):
		return ErrGrantRevoked
	case !at.Before(g.Until) || at.Before(g.OpenedAt):
		return ErrGrantExpired
	default:
		return nil
	}
}

// Grant returns a grant to those it is from or to. It returns ErrGrantUnknown
// to anybody else.
func (d *Directory) Grant(ctx context.Context, q db.Querier, a Actor, id GrantID) (Grant, error) {
	g, err := d.scanGrant(ctx, q.QueryRow(ctx, `SELECT `+grantColumns+` FROM ident_grant WHERE id = $1`, id).Scan)
	if err != nil {
		return Grant{}, err
	}
	if p := a.Principal(); p.ID == "" || p != g.From && p != OrgPrincipal(g.To) {
		return Grant{}, ErrGrantUnknown
	}
	return g, nil
}

// GrantsFrom returns the grants somebody opened, newest first.
func (d *Directory) GrantsFrom(ctx context.Context, q db.Querier, p Principal) ([]Grant, error) {
	return d.grants(ctx, q, `from_kind = $1 AND from_id = $2`, p.Kind, p.ID)
}

// GrantsTo returns the grants an organisation was given, newest first.
func (d *Directory) GrantsTo(ctx context.Context, q db.Querier, org OrgID) ([]Grant, error) {
	return d.grants(ctx, q, `to_org = $1`, org)
}

const grantColumns = `id, from_kind, from_id, to_org, matters, unit, until_at, state, opened_at, opened_by, revoked_at, revoked_by, mac`

func (d *Directory) grants(ctx context.Context, q db.Querier, cond string, args ...any) (_ []Grant, err error) {
	rows, err := q.Query(ctx, `SELECT `+grantColumns+` FROM ident_grant WHERE `+cond+` ORDER BY id DESC`, args...)
	if err != nil {
		return nil, fmt.Errorf("grants: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	var out []Grant
	for rows.Next() {
		g, err := d.scanGrant(ctx, rows.Scan)
		if err != nil {
			return nil, err
		}
		out = append(out, g)
	}
	return out, rows.Err()
}

func (d *Directory) scanGrant(ctx context.Context, scan func(...any) error) (Grant, error) {
	var g Grant
	var matters string
	var until, opened, revoked int64
	var mac []byte
	err := scan(&g.ID, &g.From.Kind, &g.From.ID, &g.To, &matters, &g.Unit, &until, &g.State, &opened, &g.OpenedBy, &revoked, &g.RevokedBy, &mac)
	if errors.Is(err, db.ErrNoRows) {
		return Grant{}, ErrGrantUnknown
	}
	if err != nil {
		return Grant{}, fmt.Errorf("grant: %w", err)
	}
	g.Until, g.OpenedAt, g.RevokedAt = db.Time(until), db.Time(opened), db.Time(revoked)
	if err := d.check(ctx, mac, "grant", grantFields(g, matters)...); err != nil {
		return Grant{}, err
	}
	g.Matters, err = unlist(matters)
	return g, err
}
