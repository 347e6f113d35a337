package ident_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"haoban/platform/ident"
)

func TestScopes(t *testing.T) {
	t.Parallel()
	post := func(role, office, district string, matters ...string) ident.Post {
		return ident.Post{Role: role, Office: office, District: district, Matters: matters}
	}
	for _, tt := range []struct {
		name string
		a    ident.Actor
		want []string
	}{
		{"person", ident.Actor{Kind: ident.KindPerson, PersonID: "P"}, []string{"p:P"}},
		{"acting", ident.Actor{Kind: ident.KindPerson, PersonID: "P", OrgID: "G"}, []string{"p:P", "g:G"}},
		{"window of a district", ident.Actor{Kind: ident.KindOfficial, Posts: []ident.Post{post(ident.RoleWindow, "registry", "310115")}},
			[]string{"o:310115:registry:*"}},
		{"two matters", ident.Actor{Kind: ident.KindOfficial, Posts: []ident.Post{post(ident.RoleHandler, "permit", "", "permit/b", "permit/a")}},
			[]string{"o:*:permit:permit/a", "o:*:permit:permit/b"}},
		{"leader of all", ident.Actor{Kind: ident.KindOfficial, Posts: []ident.Post{post(ident.RoleLeader, "", ""), post(ident.RoleLeader, "", "")}},
			[]string{"o:*:*:*"}},
		{"administrators see no business", ident.Actor{Kind: ident.KindOfficial, Posts: []ident.Post{post(ident.RoleSysAdmin, "", "")}}, nil},
		{"system", ident.System("timer"), nil},
		{"partner", ident.Partner("tax"), nil},
		{"posts of a person do not count", ident.Actor{Kind: ident.KindPerson, PersonID: "P", Posts: []ident.Post{post(ident.RoleLeader, "", "")}},
			[]string{"p:P"}},
	} {
		if diff := cmp.Diff(tt.want, tt.a.Scopes()); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
	}
}

// TestScopesMeetCases holds the two sides of visibility together: a post reaches
// a case by scope exactly when it covers it.
func TestScopesMeetCases(t *testing.T) {
	t.Parallel()
	some := []string{"", "x", "y"}
	matters := [][]string{nil, {"x/m"}, {"x/m", "x/n"}}
	for _, po := range some {
		for _, pd := range some {
			for _, pm := range matters {
				p := ident.Post{Role: ident.RoleHandler, Office: po, District: pd, Matters: pm}
				scopes := ident.Actor{Kind: ident.KindOfficial, Posts: []ident.Post{p}}.Scopes()
				for _, o := range some {
					for _, d := range some {
						for _, m := range []string{"", "x/m", "y/q"} {
							keys := ident.CaseScopes(o, d, m)
							meet := slices.ContainsFunc(scopes, func(s string) bool { return slices.Contains(keys, s) })
							if meet != p.Covers(o, d, m) {
								t.Errorf("post %+v case %q %q %q: scopes meet %v, covers %v", p, o, d, m, meet, !meet)
							}
						}
					}
				}
			}
		}
	}
}

func TestHasRole(t *testing.T) {
	t.Parallel()
	a := ident.Actor{Kind: ident.KindOfficial, Posts: []ident.Post{
		{Role: ident.RoleWindow, Office: "registry", District: "310115"},
		{Role: ident.RoleConsulted, Office: "fire", District: ""},
		{Role: ident.RoleExaminer, Office: "registry", District: "", Matters: []string{"registry/transfer"}},
	}}
	for _, tt := range []struct {
		name string
		got  bool
		want bool
	}{
		{"own district", a.HasRole(ident.RoleWindow, "310115", "registry/transfer"), true},
		{"other district", a.HasRole(ident.RoleWindow, "310104", "registry/transfer"), false},
		{"whole city", a.HasRole(ident.RoleWindow, "", "registry/transfer"), false},
		{"other office", a.HasRole(ident.RoleWindow, "310115", "permit/build"), false},
		{"named matter", a.HasRole(ident.RoleExaminer, "310104", "registry/transfer"), true},
		{"other matter", a.HasRole(ident.RoleExaminer, "310104", "registry/mortgage"), false},
		{"role not held", a.HasRole(ident.RoleRegistrar, "310115", "registry/transfer"), false},
		{"department", a.HasPost(ident.RoleConsulted, "fire", "310115", "permit/build"), true},
		{"other department", a.HasPost(ident.RoleConsulted, "water", "310115", "permit/build"), false},
		{"anywhere", a.HasAnyRole(ident.RoleLeader, ident.RoleWindow), true},
		{"nowhere", a.HasAnyRole(ident.RoleLeader), false},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: %v", tt.name, tt.got)
		}
	}
	if diff := cmp.Diff([]string{ident.RoleWindow, ident.RoleExaminer, ident.RoleConsulted}, a.Roles()); diff != "" {
		t.Error(diff)
	}
	p := ident.Actor{Kind: ident.KindPerson, PersonID: "P", OrgID: "G", OrgMatter: []string{"registry/transfer"}}
	if !p.MayFile("registry/transfer") || p.MayFile("registry/mortgage") || a.MayFile("registry/transfer") {
		t.Error("MayFile")
	}
}
