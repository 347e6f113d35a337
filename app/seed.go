package app

import (
	"context"
	"fmt"

	"haoban/platform/db"
	"haoban/platform/ident"
)

// Official is one account a demonstration or test logs in with.
type Official struct {
	Account, Name, Role, District, Office string
	Password, OTP                         string
}

// Officials are the accounts of a demonstration: each role of registration in
// 浦东新区 and of planning at the bureau, and the three separated
// administrators.
func Officials() []Official {
	return []Official{
		{Account: "zhaomin", Name: "赵敏", Role: ident.RoleWindow, District: "310115", Office: "registry"},
		{Account: "wanghui", Name: "王慧", Role: ident.RoleExaminer, District: "310115", Office: "registry"},
		{Account: "sunlei", Name: "孙磊", Role: ident.RoleExaminer, District: "310115", Office: "registry"},
		{Account: "lidong", Name: "李栋", Role: ident.RoleRegistrar, District: "310115", Office: "registry"},
		{Account: "qianyu", Name: "钱渝", Role: ident.RoleWindow, Office: "permit"},
		{Account: "zhougang", Name: "周刚", Role: ident.RoleHandler, Office: "permit"},
		{Account: "wufang", Name: "吴芳", Role: ident.RoleDivision, Office: "permit"},
		{Account: "zhengju", Name: "郑局", Role: ident.RoleLeader, Office: "permit"},
		{Account: "fengwen", Name: "冯文", Role: ident.RolePrinter, Office: "permit"},
		{Account: "chenfa", Name: "陈发", Role: ident.RoleDispatcher, Office: "permit"},
		{Account: "xuhui", Name: "徐汇", Role: ident.RoleExaminer, District: "310104", Office: "registry"},
		{Account: "jiandu", Name: "江督", Role: ident.RoleSupervisor},
		{Account: "sysadmin", Name: "系统管理员", Role: ident.RoleSysAdmin},
		{Account: "secadmin", Name: "安全管理员", Role: ident.RoleSecAdmin},
		{Account: "auditadmin", Name: "审计管理员", Role: ident.RoleAuditAdmin},
	}
}

// Seed makes the organisations and officials of a demonstration, each with the
// password and one-time secret given by secrets, and opens the register with the
// units 大登记 tells of. It may be run again.
func (a *App) Seed(ctx context.Context, secrets func(account string) (password, otp string)) ([]Official, error) {
	var out []Official
	err := a.DB.Tx(ctx, func(tx *db.Tx) error {
		orgs, err := a.People.SeedOrgs(ctx, tx)
		if err != nil {
			return err
		}
		out = out[:0]
		for _, o := range Officials() {
			o.Password, o.OTP = secrets(o.Account)
			org := orgs["bureau"]
			if o.Office == "registry" {
				org = orgs["registration-"+o.District]
			}
			if _, err := a.People.Seed(ctx, tx, ident.SeedUser{
				Account: o.Account, Name: o.Name, Org: org, Password: o.Password, OTPSecret: o.OTP,
				Posts: []ident.Post{{Role: o.Role, Office: o.Office, District: o.District, OrgID: org}},
			}); err != nil {
				return err
			}
			out = append(out, o)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// FillRegister takes the facts of every unit 大登记 tells of, a page at a time,
// and returns how many there are. Units that are here already stay as they are.
func (a *App) FillRegister(ctx context.Context, limit int) (int, error) {
	n := 0
	for n < limit {
		us, err := a.links.bigreg.List(ctx, n, min(200, limit-n))
		if err != nil {
			return n, fmt.Errorf("fill the register: %w", err)
		}
		if len(us) == 0 {
			return n, nil
		}
		for _, u := range us {
			if err := a.DB.Group(ctx, func(tx *db.Tx) error { return a.Office.Open(ctx, tx, u) }); err != nil {
				return n, err
			}
		}
		n += len(us)
	}
	return n, nil
}
