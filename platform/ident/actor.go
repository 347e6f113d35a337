package ident

import (
	"slices"
	"strings"
)

// Ids are UUIDv7 text. They are aliases so that a bind or a JSON field needs
// no conversion.
type (
	// PersonID names a person (自然人).
	PersonID = string
	// OrgID names an organisation (单位).
	OrgID = string
	// UserID names an official's account (工作人员账号).
	UserID = string
	// PostID names one post of an official (岗位).
	PostID = string
	// GrantID names a grant to act for another (授权).
	GrantID = string
)

// The kinds of actor.
const (
	KindPerson   = "person"   // a citizen on the portal, perhaps acting for an organisation
	KindOfficial = "official" // an official at the desk
	KindPartner  = "partner"  // an outside system calling in
	KindSystem   = "system"   // the house itself: timers, jobs, seeding
)

// Actor is who does something. It is a value: casework stores ID, Kind and
// OrgID with what was done, and asks Scopes for what may be seen.
type Actor struct {
	Kind      string   // KindPerson, KindOfficial, KindPartner or KindSystem
	ID        string   // PersonID, UserID, partner name or "system"
	Name      string   // name in clear, for the person's own screen; never logged
	PersonID  PersonID // the citizen, empty for others
	OrgID     OrgID    // the organisation acted for (person) or belonged to (official); empty if none
	OrgName   string   // name of OrgID
	OrgKind   string   // kind of OrgID, see the Org kinds
	OrgRole   string   // how a person belongs to OrgID: MemberLegal, MemberAgent or MemberClerk
	OrgMatter []string // matters the person may file for OrgID; empty means all
	Posts     []Post   // an official's posts in force
	SessionID string   // the session, empty for partner and system
	IP        string   // where the request came from
}

// Post is one post of an official: a role in an office, perhaps only for one
// district and some matters（岗位）.
type Post struct {
	ID       PostID   `json:"id"`
	UserID   UserID   `json:"userId"`
	Role     string   `json:"role"`     // one of the Role constants
	OrgID    OrgID    `json:"orgId"`    // the organisation the post is in
	Office   string   `json:"office"`   // the office served ("registry", "permit", a department's code); empty means every office
	District string   `json:"district"` // six-digit district code; empty means the whole city
	Matters  []string `json:"matters"`  // matter slugs ("registry/transfer"); empty means every matter of the office
}

// Covers reports whether the post reaches this office, district and matter. An
// empty argument stands for "the whole": it is covered only by a post that is
// itself not limited in that respect.
func (p Post) Covers(office, district, matter string) bool {
	return (p.Office == "" || p.Office == office) &&
		(p.District == "" || p.District == district) &&
		(len(p.Matters) == 0 || slices.Contains(p.Matters, matter))
}

// System returns the actor for what the house does by itself; what names the
// timer, job or command.
func System(what string) Actor {
	return Actor{Kind: KindSystem, ID: "system", Name: what}
}

// Partner returns the actor for an outside system that calls in.
func Partner(name string) Actor {
	return Actor{Kind: KindPartner, ID: name, Name: name}
}

// OfficeOf returns the office of a matter slug: "registry" for
// "registry/transfer", and "" for a slug without an office.
func OfficeOf(matter string) string {
	office, _, ok := strings.Cut(matter, "/")
	if !ok {
		return ""
	}
	return office
}

// HasRole reports whether the actor holds a post of this role that covers the
// matter in the district. The office is the matter's own. An empty district or
// matter is "the whole city" and "every matter": only an unlimited post has
// it. Use HasAnyRole to ask whether a role is held at all.
func (a Actor) HasRole(role, district, matter string) bool {
	return a.HasPost(role, OfficeOf(matter), district, matter)
}

// HasPost is HasRole with the office named, as for a consulted department
// (被征询部门) whose office is its own code and not the matter's.
func (a Actor) HasPost(role, office, district, matter string) bool {
	if a.Kind != KindOfficial {
		return false
	}
	for _, p := range a.Posts {
		if p.Role == role && p.Covers(office, district, matter) {
			return true
		}
	}
	return false
}

// HasAnyRole reports whether the actor holds one of roles, anywhere.
func (a Actor) HasAnyRole(roles ...string) bool {
	if a.Kind != KindOfficial {
		return false
	}
	for _, p := range a.Posts {
		if slices.Contains(roles, p.Role) {
			return true
		}
	}
	return false
}

// Roles returns the roles the actor holds, each once, in the order of Roles.
func (a Actor) Roles() []string {
	var out []string
	if a.Kind != KindOfficial {
		return out
	}
	for _, r := range Roles() {
		if slices.ContainsFunc(a.Posts, func(p Post) bool { return p.Role == r.ID }) {
			out = append(out, r.ID)
		}
	}
	return out
}

// MayFile reports whether the actor may file this matter for the organisation
// they act for, or for themselves if they act for none.
func (a Actor) MayFile(matter string) bool {
	if a.Kind != KindPerson {
		return false
	}
	return a.OrgID == "" || len(a.OrgMatter) == 0 || slices.Contains(a.OrgMatter, matter)
}

// Scopes returns the visibility keys of the actor. A thing is visible when one
// of its own keys is among them:
//
//   - a person has PersonScope of themselves and, while acting for an
//     organisation, OrgScope of it as well;
//   - an official has, for every business post, OfficeScope(office, district,
//     matter) for each matter of the post (an unlimited part is "*");
//   - administrators' posts, partners and the system have none.
//
// Whoever stores a thing writes CaseScopes on it, which holds every form under
// which an official's post can name it, so a match is plain equality.
func (a Actor) Scopes() []string {
	switch a.Kind {
	case KindPerson:
		if a.OrgID != "" {
			return []string{PersonScope(a.PersonID), OrgScope(a.OrgID)}
		}
		return []string{PersonScope(a.PersonID)}
	case KindOfficial:
		var out []string
		for _, p := range a.Posts {
			if IsAdminRole(p.Role) {
				continue
			}
			if len(p.Matters) == 0 {
				out = append(out, OfficeScope(p.Office, p.District, ""))
			}
			for _, m := range p.Matters {
				out = append(out, OfficeScope(p.Office, p.District, m))
			}
		}
		slices.Sort(out)
		return slices.Compact(out)
	default:
		return nil
	}
}

// PersonScope is the visibility key of a person: "p:<id>".
func PersonScope(id PersonID) string { return "p:" + id }

// OrgScope is the visibility key of an organisation: "g:<id>".
func OrgScope(id OrgID) string { return "g:" + id }

// OfficeScope is the visibility key of a post: "o:<district>:<office>:<matter>",
// where an empty part is written "*". For example
// OfficeScope("registry", "310115", "") is "o:310115:registry:*".
func OfficeScope(office, district, matter string) string {
	return "o:" + star(district) + ":" + star(office) + ":" + star(matter)
}

// CaseScopes returns every OfficeScope under which an official's post may reach
// a thing of this office, district and matter: eight keys when all three are
// given, fewer when some are empty (an empty part is reached only by a post
// unlimited in it). Casework stores them with the case.
func CaseScopes(office, district, matter string) []string {
	var out []string
	for _, o := range parts(office) {
		for _, d := range parts(district) {
			for _, m := range parts(matter) {
				out = append(out, OfficeScope(o, d, m))
			}
		}
	}
	return out
}

func parts(s string) []string {
	if s == "" {
		return []string{""}
	}
	return []string{s, ""}
}

func star(s string) string {
	if s == "" {
		return "*"
	}
	return s
}
