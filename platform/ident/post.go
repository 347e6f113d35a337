package ident

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"haoban/platform/codes"
	"haoban/platform/db"
)

// GrantPost gives an official a post; secadmin（安全管理员）and the system may,
// nobody to themselves. An administrator's post is given only to an account
// without any other, and a business post only to one that is no administrator.
// The post is in force from the official's next request on. It returns the
// post's id, ErrAdmin, ErrSelf, ErrSeparated, ErrNoUser, ErrNoOrg, or
// ErrPostBad naming fields. A post the official already holds is returned
// again.
func (d *Directory) GrantPost(ctx context.Context, tx *db.Tx, a Actor, p Post) (PostID, error) {
	u, err := d.administer(ctx, tx, a, p.UserID, RoleSecAdmin)
	if err != nil {
		return "", err
	}
	bad := ErrPostBad
	role, ok := RoleByID(p.Role)
	if !ok {
		bad = bad.With("role", "enum", "没有这个角色")
	}
	if p.District != "" {
		if _, ok := codes.DistrictByCode(p.District); !ok {
			bad = bad.With("district", "enum", "没有这个区")
		}
	}
	if strings.ContainsAny(p.Office, ":*") || slices.ContainsFunc(p.Matters, func(m string) bool { return m == "" || strings.ContainsAny(m, ":*") }) {
		bad = bad.With("matters", "pattern", "事项或部门代码不正确")
	}
	if role.Admin && (p.Office != "" || p.District != "" || len(p.Matters) > 0) {
		bad = bad.With("role", "whole", "管理员岗位不分区、不分事项")
	}
	if len(bad.Fields) > 0 {
		return "", bad
	}
	if p.OrgID == "" {
		p.OrgID = u.OrgID
	}
	if _, err := d.Org(ctx, tx, p.OrgID); err != nil {
		return "", err
	}
	p.Matters = slices.Clone(p.Matters)
	slices.Sort(p.Matters)
	p.Matters = slices.Compact(p.Matters)
	held, err := d.Posts(ctx, tx, p.UserID)
	if err != nil {
		return "", err
	}
	for _, h := range held {
		if h.Role == p.Role && h.OrgID == p.OrgID && h.Office == p.Office && h.District == p.District && slices.Equal(h.Matters, p.Matters) {
			return h.ID, nil
		}
		if role.Admin && h.Role != p.Role || IsAdminRole(h.Role) && !role.Admin {
			return "", ErrSeparated
		}
	}
	p.ID = db.NewID()
	matters, err := list(p.Matters)
	if err != nil {
		return "", err
	}
	row := postRow{Post: p, matters: matters, grantedAt: tx.NowMS(), grantedBy: a.ID}
	mac, err := d.mac(ctx, "post", row.fields()...)
	if err != nil {
		return "", err
	}
	_, err = tx.Exec(ctx, `INSERT INTO ident_post (id, user_id, role, org_id, office, district, matters, granted_at, granted_by, mac)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		p.ID, p.UserID, p.Role, p.OrgID, p.Office, p.District, matters, row.grantedAt, row.grantedBy, mac)
	if err != nil {
		return "", fmt.Errorf("grant post: %w", err)
	}
	return p.ID, record(ctx, tx, "ident.post.grant", a, p.UserID, map[string]string{
		"role": p.Role, "org": p.OrgID, "office": p.Office, "district": p.District, "matter": strings.Join(p.Matters, " "),
	})
}

// EndPost ends a post at once; secadmin may, not their own. It returns ErrAdmin,
// ErrSelf, or ErrNoPost if there is none in force.
func (d *Directory) EndPost(ctx context.Context, tx *db.Tx, a Actor, id PostID, reason string) error {
	if !mayAdmin(a, RoleSecAdmin) {
		return ErrAdmin
	}
	row, err := d.scanPost(ctx, tx.QueryRow(ctx, `SELECT `+postColumns+` FROM ident_post WHERE id = $1`+tx.Dialect().ForUpdate(), id).Scan)
	if err != nil {
		return err
	}
	if row.UserID == a.ID {
		return ErrSelf
	}
	if row.endedAt != 0 {
		return ErrNoPost
	}
	row.endedAt, row.endedBy = tx.NowMS(), a.ID
	mac, err := d.mac(ctx, "post", row.fields()...)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `UPDATE ident_post SET ended_at = $2, ended_by = $3, mac = $4 WHERE id = $1`,
		id, row.endedAt, row.endedBy, mac); err != nil {
		return fmt.Errorf("end post: %w", err)
	}
	return record(ctx, tx, "ident.post.end", a, row.UserID, map[string]string{"role": row.Role, "reason": reason})
}

// Posts returns the posts an official holds now, oldest first.
func (d *Directory) Posts(ctx context.Context, q db.Querier, user UserID) ([]Post, error) {
	return d.posts(ctx, q, `user_id = $1 AND ended_at = 0`, user)
}

// PostsOf returns the posts in force of a role that cover an office, district
// and matter: who can be given a task, told, or copied. The accounts may be
// disabled; see Officials.
func (d *Directory) PostsOf(ctx context.Context, q db.Querier, role, office, district, matter string) ([]Post, error) {
	all, err := d.posts(ctx, q, `role = $1 AND ended_at = 0`, role)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(p Post) bool { return !p.Covers(office, district, matter) }), nil
}

// Officials returns the active accounts that hold a role over an office,
// district and matter, as for a list to transfer a task to（转办）.
func (d *Directory) Officials(ctx context.Context, q db.Querier, role, office, district, matter string) ([]User, error) {
	ps, err := d.PostsOf(ctx, q, role, office, district, matter)
	if err != nil {
		return nil, err
	}
	var out []User
	seen := map[UserID]bool{}
	for _, p := range ps {
		if seen[p.UserID] {
			continue
		}
		seen[p.UserID] = true
		u, err := d.User(ctx, q, p.UserID)
		if err != nil {
			return nil, err
		}
		if u.State == UserActive {
			out = append(out, u)
		}
	}
	return out, nil
}

// OfficialActor returns the actor of an official outside any session. It
// returns ErrNoUser for an account that is unknown or disabled.
func (d *Directory) OfficialActor(ctx context.Context, q db.Querier, id UserID) (Actor, error) {
	u, err := d.user(ctx, q, id)
	if err != nil {
		return Actor{}, err
	}
	if u.State != UserActive {
		return Actor{}, ErrNoUser
	}
	return d.official(ctx, q, u)
}

func (d *Directory) official(ctx context.Context, q db.Querier, u userRow) (Actor, error) {
	ps, err := d.Posts(ctx, q, u.ID)
	if err != nil {
		return Actor{}, err
	}
	o, err := d.Org(ctx, q, u.OrgID)
	if err != nil {
		return Actor{}, err
	}
	return Actor{Kind: KindOfficial, ID: u.ID, Name: u.Name, OrgID: o.ID, OrgName: o.Name, OrgKind: o.Kind, Posts: ps}, nil
}

type postRow struct {
	Post
	matters   string
	grantedAt int64
	grantedBy string
	endedAt   int64
	endedBy   string
}

func (p postRow) fields() []string {
	return []string{
		p.ID, p.UserID, p.Role, p.OrgID, p.Office, p.District, p.matters,
		num(p.grantedAt), p.grantedBy, num(p.endedAt), p.endedBy,
	}
}

const postColumns = `id, user_id, role, org_id, office, district, matters, granted_at, granted_by, ended_at, ended_by, mac`

func (d *Directory) scanPost(ctx context.Context, scan func(...any) error) (postRow, error) {
	var p postRow
	var mac []byte
	err := scan(&p.ID, &p.UserID, &p.Role, &p.OrgID, &p.Office, &p.District, &p.matters,
		&p.grantedAt, &p.grantedBy, &p.endedAt, &p.endedBy, &mac)
	if errors.Is(err, db.ErrNoRows) {
		return postRow{}, ErrNoPost
	}
	if err != nil {
		return postRow{}, fmt.Errorf("post: %w", err)
	}
	if err := d.check(ctx, mac, "post", p.fields()...); err != nil {
		return postRow{}, err
	}
	p.Matters, err = unlist(p.matters)
	return p, err
}

func (d *Directory) posts(ctx context.Context, q db.Querier, cond string, args ...any) (_ []Post, err error) {
	rows, err := q.Query(ctx, `SELECT `+postColumns+` FROM ident_post WHERE `+cond+` ORDER BY id`, args...)
	if err != nil {
		return nil, fmt.Errorf("posts: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	var out []Post
	for rows.Next() {
		p, err := d.scanPost(ctx, rows.Scan)
		if err != nil {
			return nil, err
		}
		out = append(out, p.Post)
	}
	return out, rows.Err()
}
