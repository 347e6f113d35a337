package app

import (
	"context"
	"net/http"
	"strings"

	"haoban/platform/db"
	"haoban/platform/ident"
)

type usersIn struct {
	Q      string `query:"q" maxLength:"80"`
	Org    string `query:"org" maxLength:"64"`
	State  string `query:"state" enum:"active,disabled," maxLength:"10"`
	Role   string `query:"role" maxLength:"40"`
	Cursor string `query:"cursor" maxLength:"64"`
}

type newUserIn struct {
	Body struct {
		Account string `json:"account" maxLength:"64"`
		Name    string `json:"name" maxLength:"64"`
		OrgID   string `json:"orgId" maxLength:"64"`
	}
}

type userVerbIn struct {
	ID   string `path:"id" maxLength:"64"`
	Verb string `path:"verb" enum:"disable,enable,unlock,reset-password"`
	Body struct {
		Reason string `json:"reason,omitempty" maxLength:"500"`
	}
}

type resetOTPIn struct {
	ID   string `path:"id" maxLength:"64"`
	Body struct {
		Reason string `json:"reason,omitempty" maxLength:"500"`
	}
}

func userRow(u ident.User) AdminUser {
	return AdminUser{ID: u.ID, Account: u.Account, Name: u.Name, OrgID: u.OrgID, State: u.State, MustChange: u.MustChange, CreatedAt: when(u.CreatedAt)}
}

func handed(i ident.Issued) Handed {
	return Handed{ID: i.UserID, Account: i.Account, Password: i.Password, OTPURL: i.OTPURL}
}

// adminUsers are accounts: the system administrator makes and closes them, the
// security administrator gives them their rights and their second factor, so
// that neither can take over an account alone.
func (a *App) adminUsers() {
	sys, sec := []string{ident.RoleSysAdmin}, []string{ident.RoleSecAdmin}
	adminRoute(a, append(sys, sec...), "listUsers", http.MethodGet, "/users", "工作人员账号", func(ctx context.Context, _ ident.Actor, in *usersIn) (adminList[AdminUser], error) {
		out := adminList[AdminUser]{Items: []AdminUser{}}
		us, err := a.People.Users(ctx, a.DB.Q(), ident.UserFilter{Text: in.Q, OrgID: in.Org, State: in.State, Role: in.Role, After: in.Cursor, Limit: 50})
		for _, u := range us {
			out.Items = append(out.Items, userRow(u))
		}
		if len(us) == 50 {
			out.Next = us[49].ID
		}
		return out, err
	})
	adminRoute(a, sys, "newUser", http.MethodPost, "/users", "新建账号", func(ctx context.Context, by ident.Actor, in *newUserIn) (Handed, error) {
		var i ident.Issued
		err := a.DB.Tx(ctx, func(tx *db.Tx) (err error) {
			i, err = a.People.CreateOfficial(ctx, tx, by, ident.NewUser{Account: in.Body.Account, Name: in.Body.Name, OrgID: in.Body.OrgID})
			return err
		})
		return handed(i), err
	})
	adminRoute(a, sys, "userVerb", http.MethodPost, "/users/{id}/{verb}", "停用、启用、解锁账号或重置口令", a.userVerb)
	adminRoute(a, sec, "resetOTP", http.MethodPost, "/users/{id}/reset-otp", "重置动态口令", func(ctx context.Context, by ident.Actor, in *resetOTPIn) (Handed, error) {
		var i ident.Issued
		err := a.DB.Tx(ctx, func(tx *db.Tx) (err error) {
			i, err = a.People.ResetOTP(ctx, tx, by, in.ID)
			return err
		})
		return handed(i), err
	})
}

func (a *App) userVerb(ctx context.Context, by ident.Actor, in *userVerbIn) (Handed, error) {
	if (in.Verb == "disable" || in.Verb == "enable") && strings.TrimSpace(in.Body.Reason) == "" {
		return Handed{}, errReason()
	}
	var i ident.Issued
	err := a.DB.Tx(ctx, func(tx *db.Tx) (err error) {
		switch in.Verb {
		case "disable":
			return a.People.Disable(ctx, tx, by, in.ID, in.Body.Reason)
		case "enable":
			return a.People.Enable(ctx, tx, by, in.ID, in.Body.Reason)
		case "unlock":
			return a.People.Unlock(ctx, tx, by, in.ID)
		}
		i, err = a.People.ResetPassword(ctx, tx, by, in.ID)
		return err
	})
	if i.UserID == "" {
		i.UserID = in.ID
	}
	return handed(i), err
}

// PostView is a post of an official.
type PostView struct {
	ID       string   `json:"id"`
	UserID   string   `json:"userId"`
	Role     string   `json:"role"`
	RoleName string   `json:"roleName"`
	OrgID    string   `json:"orgId"`
	Office   string   `json:"office"`
	District string   `json:"district"`
	Matters  []string `json:"matters"`
}

type postsIn struct {
	User string `query:"user" required:"true" maxLength:"64"`
}

type newPostIn struct {
	Body struct {
		UserID   string   `json:"userId" maxLength:"64"`
		Role     string   `json:"role" maxLength:"40"`
		OrgID    string   `json:"orgId,omitempty" maxLength:"64"`
		Office   string   `json:"office,omitempty" maxLength:"80"`
		District string   `json:"district,omitempty" maxLength:"6"`
		Matters  []string `json:"matters,omitempty" maxItems:"50"`
	}
}

type endPostIn struct {
	ID     string `path:"id" maxLength:"64"`
	Reason string `query:"reason" required:"true" minLength:"1" maxLength:"500"`
}

func (a *App) adminPosts() {
	sec := []string{ident.RoleSecAdmin}
	adminRoute(a, sec, "listPosts", http.MethodGet, "/posts", "一个账号的岗位", func(ctx context.Context, _ ident.Actor, in *postsIn) (adminList[PostView], error) {
		out := adminList[PostView]{Items: []PostView{}}
		if _, err := a.People.User(ctx, a.DB.Q(), in.User); err != nil {
			return out, err
		}
		ps, err := a.People.Posts(ctx, a.DB.Q(), in.User)
		for _, p := range ps {
			v := PostView{
				ID: p.ID, UserID: p.UserID, Role: p.Role, RoleName: ident.RoleName(p.Role), OrgID: p.OrgID, Office: p.Office, District: p.District, Matters: p.Matters,
			}
			if v.Matters == nil {
				v.Matters = []string{}
			}
			out.Items = append(out.Items, v)
		}
		return out, err
	})
	adminRoute(a, sec, "grantPost", http.MethodPost, "/posts", "授予岗位", func(ctx context.Context, by ident.Actor, in *newPostIn) (map[string]string, error) {
		b := in.Body
		var id string
		err := a.DB.Tx(ctx, func(tx *db.Tx) error {
			if b.OrgID == "" {
				u, err := a.People.User(ctx, tx, b.UserID)
				if err != nil {
					return err
				}
				b.OrgID = u.OrgID
			}
			var err error
			id, err = a.People.GrantPost(ctx, tx, by, ident.Post{UserID: b.UserID, Role: b.Role, OrgID: b.OrgID, Office: b.Office, District: b.District, Matters: b.Matters})
			return err
		})
		return map[string]string{"id": id}, err
	})
	adminRoute(a, sec, "endPost", http.MethodDelete, "/posts/{id}", "收回岗位", func(ctx context.Context, by ident.Actor, in *endPostIn) (map[string]bool, error) {
		err := a.DB.Tx(ctx, func(tx *db.Tx) error { return a.People.EndPost(ctx, tx, by, in.ID, in.Reason) })
		return map[string]bool{"ok": err == nil}, err
	})
}
