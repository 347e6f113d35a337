// Package wire is what 市电子证照库（E-12）and this house say to each other. 发证后归集，作废时注销；同一证照只归集一次。
package wire

// System is the partner's short name.
const System = "licence"

// Paths of the contract.
const (
	PathIssue  = "/api/v1/elicense/issue"
	PathRevoke = "/api/v1/elicense/revoke"
)

// Licence is one licence filed. The holder's number is sealed.
type Licence struct {
	No        string `json:"license_no"`
	Type      string `json:"type_code"`
	HolderEnc string `json:"holder_id_enc"`
	SM3       string `json:"file_sm3"`
	IssuedAt  string `json:"issued_at"`
}

// Filed is the store's receipt.
type Filed struct {
	Identifier string `json:"identifier"`
}

// Revocation ends a licence.
type Revocation struct {
	No     string `json:"license_no"`
	Reason string `json:"reason"`
}
