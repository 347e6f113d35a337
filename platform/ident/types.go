package ident

import "time"

// The audiences of a session. A token of one is refused for the other.
const (
	Public = "public" // portal
	Staff  = "staff"  // desk
)

// The steps of a session on its way to being logged in.
const (
	StepOTP      = "otp"      // password accepted, one-time code wanted
	StepPassword = "password" // a new password must be set first
	StepDone     = "done"     // logged in
)

// Session is one log-in of one browser.
type Session struct {
	ID        string
	Audience  string // Public or Staff
	Step      string // StepOTP, StepPassword or StepDone; nothing but the step's own verb may be done before StepDone
	Actor     Actor  // who is logged in, with posts and acting organisation as of now
	Method    string // how the person logged in: the provider's id, or "password"
	Device    string // what the browser said it was, shortened
	IP        string // where it logged in from
	CreatedAt time.Time
	LastAt    time.Time
	ExpiresAt time.Time // absolute end
	CSRF      string    // token that unsafe requests must carry

	hash string // SM3 of the token
}

// SessionInfo is one row of a user's own list of sessions.
type SessionInfo struct {
	ID       string
	Audience string
	Device   string
	IP       string
	At       time.Time
	LastAt   time.Time
	Current  bool
}

// The kinds of organisation.
const (
	OrgBureau       = "bureau"       // 局
	OrgRegistration = "registration" // 登记事务中心
	OrgDistrict     = "district"     // 区级机构
	OrgStreet       = "street"       // 街镇
	OrgCompany      = "company"      // 企业
	OrgBank         = "bank"         // 银行
	OrgAgency       = "agency"       // 中介、代办机构
	OrgNotary       = "notary"       // 公证处
	OrgDepartment   = "department"   // 被征询部门
)

// Org is an organisation（单位）.
type Org struct {
	ID        OrgID
	Kind      string // one of the Org constants
	Code      string // stable short code inside the house ("registry-310115"); unique, may be empty
	Name      string
	Parent    OrgID  // empty at the top
	District  string // six-digit district code, empty for the whole city
	USCC      string // 统一社会信用代码, empty for a part of another organisation
	ValidFrom time.Time
	ValidTo   time.Time // zero: no end
}

// ValidAt reports whether the organisation may act at t.
func (o Org) ValidAt(t time.Time) bool { return within(o.ValidFrom, o.ValidTo, t) }

// How a person belongs to an organisation.
const (
	MemberLegal = "legal" // 法定代表人
	MemberAgent = "agent" // 经办人、委托代理人
	MemberClerk = "clerk" // 只可填报、不可确认的办事人员
)

// Member is a person's place in an organisation.
type Member struct {
	OrgID    OrgID
	PersonID PersonID
	Role     string   // MemberLegal, MemberAgent or MemberClerk
	Matters  []string // matters they may file; empty means all
	Source   string   // who said so
	From     time.Time
	To       time.Time // zero: no end
}

// ValidAt reports whether the membership is in force at t.
func (m Member) ValidAt(t time.Time) bool { return within(m.From, m.To, t) }

// The kinds of principal.
const (
	PrincipalPerson = "person"
	PrincipalOrg    = "org"
)

// Principal is a person or an organisation that may be acted for.
type Principal struct {
	Kind string `json:"kind"` // PrincipalPerson or PrincipalOrg
	ID   string `json:"id"`
}

// The states of a grant.
const (
	GrantOpen    = "open"
	GrantRevoked = "revoked"
)

// Grant is the recorded word of a person or organisation that an organisation
// may act for them（授权委托）. Nobody acts for another without one.
type Grant struct {
	ID        GrantID
	From      Principal
	To        OrgID
	Matters   []string  // matter slugs; never empty
	Unit      string    // the one subject unit (28-digit unit code), empty for any
	Until     time.Time // end, exclusive
	State     string    // GrantOpen or GrantRevoked
	OpenedAt  time.Time
	OpenedBy  string // actor id
	RevokedAt time.Time
	RevokedBy string
}

// within reports from <= t < to, where a zero to is no end.
func within(from, to, t time.Time) bool {
	return !t.Before(from) && (to.IsZero() || t.Before(to))
}
