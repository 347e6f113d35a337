package ident

import (
	"context"
	"errors"
	"fmt"

	"haoban/platform/codes"
	"haoban/platform/db"
)

// SeedUser is an official to be made with posts, for a first start or a demo.
type SeedUser struct {
	Account   string
	Name      string
	Org       OrgID
	Password  string // in force at once; empty: made up, to be changed
	OTPSecret string // base32; empty: made up
	Posts     []Post // UserID and ID are filled in; an empty OrgID is Org
}

// Seed makes an official with posts as the house itself does at a first start:
// the three administrators are made so, and a demo's officials. An account that
// exists is left as it is, and Issued then has only its id and account.
func (d *Directory) Seed(ctx context.Context, tx *db.Tx, s SeedUser) (Issued, error) {
	a := System("seed")
	u, err := d.UserByAccount(ctx, tx, s.Account)
	if err == nil {
		return Issued{UserID: u.ID, Account: u.Account}, nil
	}
	if !errors.Is(err, ErrNoUser) {
		return Issued{}, err
	}
	out, err := d.CreateOfficial(ctx, tx, a, NewUser{
		Account: s.Account, Name: s.Name, OrgID: s.Org, Password: s.Password, OTPSecret: s.OTPSecret, Keep: s.Password != "",
	})
	if err != nil {
		return Issued{}, fmt.Errorf("seed %s: %w", s.Account, err)
	}
	for _, p := range s.Posts {
		p.UserID = out.UserID
		if _, err := d.GrantPost(ctx, tx, a, p); err != nil {
			return Issued{}, fmt.Errorf("seed %s as %s: %w", s.Account, p.Role, err)
		}
	}
	return out, nil
}

// SeedOrgs makes the bureau (code "bureau"), its registration centre
// ("registration") and both for each of the sixteen districts
// ("district-310101", "registration-310101"), and returns their ids by code.
// It may be called again.
func (d *Directory) SeedOrgs(ctx context.Context, tx *db.Tx) (map[string]OrgID, error) {
	out := map[string]OrgID{}
	put := func(o Org) error {
		id, err := d.PutOrg(ctx, tx, System("seed"), o)
		if err != nil {
			return fmt.Errorf("seed org %s: %w", o.Code, err)
		}
		out[o.Code] = id
		return nil
	}
	if err := put(Org{Kind: OrgBureau, Code: "bureau", Name: "市规划和自然资源局"}); err != nil {
		return nil, err
	}
	if err := put(Org{Kind: OrgRegistration, Code: "registration", Name: "市自然资源确权登记事务中心", Parent: out["bureau"]}); err != nil {
		return nil, err
	}
	for _, x := range codes.Districts() {
		if err := put(Org{
			Kind: OrgDistrict, Code: "district-" + x.Code, Name: x.Name + "规划和自然资源局",
			Parent: out["bureau"], District: x.Code,
		}); err != nil {
			return nil, err
		}
		if err := put(Org{
			Kind: OrgRegistration, Code: "registration-" + x.Code, Name: x.Name + "自然资源确权登记事务中心",
			Parent: out["registration"], District: x.Code,
		}); err != nil {
			return nil, err
		}
	}
	return out, nil
}
