// Package wire is what 企业登记信息库（E-17）and this house say to each other. 企业名称、法定代表人、状态、名称变更史。
package wire

// System is the partner's short name.
const System = "company"

// PathCompany is the one question.
const PathCompany = "/api/v1/verify/legal-rep"

// Query asks about a company.
type Query struct {
	USCC string `json:"uscc"`
}

// Answer is what the market register says.
type Answer struct {
	Name        string   `json:"name"`
	USCC        string   `json:"uscc"`
	LegalRepEnc string   `json:"legal_rep_enc"`
	State       string   `json:"status"`
	Kind        string   `json:"kind"`
	IsMicro     bool     `json:"is_micro"`
	Address     string   `json:"address"`
	History     []string `json:"history"`
}

// CodeUnknown refuses a code nobody has.
const CodeUnknown = "3101"
