// Package wire is what 法人一证通 (E-02) and this house say to each other when
// somebody logs in with an organisation's certificate.
package wire

// System is the partner's short name.
const System = "fryzt"

// Paths of the contract. The first is a page for the browser, which brings a
// ticket and the state back.
const (
	PathLogin  = "/login" // ?client_id=&redirect_uri=&state=&nonce=
	PathVerify = "/api/v1/ca/verify"
)

// Refusals of the platform.
const (
	CodeTicket = "3101" // unknown, spent, too old, or of another log-in
	CodeCert   = "3102" // the certificate has lapsed or was revoked
)

// The roles of a holder.
const (
	Legal = "LEGAL" // 法定代表人
	Agent = "AGENT" // 经办人
	Clerk = "CLERK" // 办事人员，只填报
)

// Verify asks who stands behind a ticket. Nonce is the log-in's own: a ticket
// of one log-in is of no use in another.
type Verify struct {
	Ticket string `json:"ticket"`
	Nonce  string `json:"nonce"`
}

// Holder holds the certificate; all fields are sealed.
type Holder struct {
	NameEnc   string `json:"name_enc"`
	IDEnc     string `json:"id_enc"`
	MobileEnc string `json:"mobile_enc"`
}

// Verified is an organisation whose certificate was shown.
type Verified struct {
	USCC    string `json:"uscc"`
	Name    string `json:"name"`
	Kind    string `json:"kind"` // company bank agency notary
	Agent   Holder `json:"agent"`
	Role    string `json:"role"` // LEGAL AGENT CLERK
	CertSN  string `json:"cert_sn"`
	ValidTo string `json:"valid_to"` // 2006-01-02, the last day
}
