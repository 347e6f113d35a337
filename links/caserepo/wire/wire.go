// Package wire is what the city's case repository 市办件库 (E-25) and this
// house say to each other.
package wire

import "strconv"

// System is the partner's short name.
const System = "caserepo"

// Paths of the contract.
const (
	PathPush    = "/api/v1/case-repo/push"
	PathErratum = "/api/v1/case-repo/erratum"
	PathCases   = "/api/v1/case-repo/cases" // ?case_uid=
)

// Refusals of the repository.
const (
	CodeUnknownCase = "3101" // an erratum for a case never pushed
	CodeOutOfOrder  = "3102" // a step before its predecessor, or an older version
	CodeClosed      = "3103" // a case that has its result takes errata only
)

// Push is one package: the case as it stands, the steps so far, and the result
// once there is one. (CaseUID, Seq, Version) is its key; see Key.
type Push struct {
	Case    Case    `json:"case"`
	Steps   []Step  `json:"steps"`
	Result  *Result `json:"result,omitempty"`
	Version int64   `json:"version"`
}

// Key returns the Idempotency-Key of the package.
func (p Push) Key() string {
	seq := 0
	if n := len(p.Steps); n > 0 {
		seq = p.Steps[n-1].Seq
	}
	return p.Case.CaseUID + "/" + strconv.Itoa(seq) + "/" + strconv.FormatInt(p.Version, 10)
}

// Case is the 办件基本信息. CaseUID is source and acceptance number together.
type Case struct {
	CaseUID       string    `json:"case_uid"`
	ItemCode      string    `json:"item_code"`
	ItemName      string    `json:"item_name"`
	ImplCode      string    `json:"impl_code"`
	DeptCode      string    `json:"dept_code"`
	District      string    `json:"district"`
	Applicant     Applicant `json:"applicant"`
	AcceptNo      string    `json:"accept_no"`
	ApplyTime     string    `json:"apply_time"` // RFC 3339
	AcceptTime    string    `json:"accept_time,omitempty"`
	PromisedDays  int       `json:"promised_days"`
	LegalDays     int       `json:"legal_days"`
	Channel       string    `json:"channel"` // ONLINE_PC, WINDOW …; AUTO for 免申即享
	IsAutoBenefit bool      `json:"is_auto_benefit"`
}

// Applicant is who applies; IDEnc is sealed.
type Applicant struct {
	Type  string `json:"type"` // PERSON or LEGAL
	Name  string `json:"name"`
	IDEnc string `json:"id_enc"`
}

// Step is one step of the 办理过程.
type Step struct {
	Seq     int    `json:"seq"`   // from 1, without gaps
	Node    string `json:"node"`  // 收件 预审 审理 审定 文印 发件 办结
	State   string `json:"state"` // doing done suspend supplement
	Handler string `json:"handler"`
	Dept    string `json:"dept"`
	Begin   string `json:"begin"`
	End     string `json:"end,omitempty"`
	Opinion string `json:"opinion,omitempty"`
}

// Result is the 办理结果.
type Result struct {
	Type      string `json:"type"` // 准予 不予 免申即享
	DocNo     string `json:"doc_no,omitempty"`
	Files     []File `json:"files,omitempty"`
	ValidFrom string `json:"valid_from,omitempty"`
	ValidTo   string `json:"valid_to,omitempty"`
	ELicense  string `json:"e_license,omitempty"`
}

// File names a result file.
type File struct {
	ID   string `json:"file_id"`
	Name string `json:"name"`
	SM3  string `json:"sm3"`
}

// Erratum is a 勘误 of a case that was pushed.
type Erratum struct {
	CaseUID   string `json:"case_uid"`
	ErratumNo string `json:"erratum_no"`
	Reason    string `json:"reason"`
	Before    string `json:"before"`
	After     string `json:"after"`
	Files     []File `json:"files,omitempty"`
}

// Ack is the answer to a push or an erratum.
type Ack struct {
	RepoNo string `json:"repo_no"` // the repository's own number
}

// Kept is what the repository tells of a case it has.
type Kept struct {
	Push   Push      `json:"push"`
	RepoNo string    `json:"repo_no"`
	Errata []Erratum `json:"errata"`
}
