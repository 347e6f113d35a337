// Package wire is what 投资项目在线审批监管平台（E-45）and this house say to each other. 项目代码核验和立项信息；审批结果回传。
package wire

// System is the partner's short name.
const System = "invest"

// Paths of the contract.
const (
	PathProject = "/api/v1/projects/query"
	PathResult  = "/api/v1/projects/results"
)

// CodeUnknown refuses a project code that is not verified.
const CodeUnknown = "3101"

// Query asks about a project code.
type Query struct {
	Code string `json:"project_code"`
}

// Project is what the platform knows of a project.
type Project struct {
	Code        string `json:"project_code"`
	Name        string `json:"name"`
	Builder     string `json:"builder_uscc"`
	ApprovalNo  string `json:"approval_no"`
	ApprovalOrg string `json:"approval_org"`
	ApprovedAt  string `json:"approved_at"`
	InvestWan   int64  `json:"investment_wan"`
	Address     string `json:"address"`
	District    string `json:"district"` // six digits, who handles it
}

// Result is an approval told back.
type Result struct {
	Code   string `json:"project_code"`
	CaseNo string `json:"case_no"`
	Matter string `json:"matter"`
	DocNo  string `json:"doc_no"`
	State  string `json:"state"`
}
