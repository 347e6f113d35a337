// Package wire is what 一网通办 (E-01) and this house say to each other when
// somebody logs in: OpenID Connect's code flow with PKCE, and the platform's
// unified user model.
package wire

// System is the partner's short name.
const System = "ywtb"

// Paths of the contract. The first is a page for the browser.
const (
	PathAuthorize = "/authorize"
	PathToken     = "/token"
	PathUserInfo  = "/userinfo"
)

// The kinds of user.
const (
	Person     = "PERSON"
	Legal      = "LEGAL"
	LegalAgent = "LEGAL_AGENT"
)

// User is the unified user model. IDCardNo is sealed with the field cipher.
type User struct {
	Sub            string `json:"sub"`
	Type           string `json:"type"` // PERSON LEGAL LEGAL_AGENT
	Account        string `json:"account"`
	Username       string `json:"username"`
	IDCardNo       string `json:"idCardNo"`
	Mobile         string `json:"mobile"`
	RealNameStatus int    `json:"realNameStatus"` // 1: checked
	AuthLevel      string `json:"authLevel"`      // L1 to L4
	CompanyName    string `json:"companyName,omitempty"`
	SocialCredit   string `json:"socialCreditCode,omitempty"`
	OrgCode        string `json:"orgCode,omitempty"`
	LegalLevel     string `json:"legalLevel,omitempty"` // 0 法人, 1 to 3 办事人员
	CACode         string `json:"caCode,omitempty"`
	CertSN         string `json:"certSn,omitempty"`
	Certificate    string `json:"certificate,omitempty"`
}

// Token is the answer to a code.
type Token struct {
	Access  string `json:"access_token"`
	Type    string `json:"token_type"`
	Expires int    `json:"expires_in"` // seconds
}

// Fault is the answer to a code or token that is not right (RFC 6749).
type Fault struct {
	Error string `json:"error"`
	Text  string `json:"error_description,omitempty"`
}
