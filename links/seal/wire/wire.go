// Package wire is what CA 我的签章（E-06）and this house say to each other. 查询签章状态；对摘要签章。
package wire

// System is the partner's short name.
const System = "seal"

// Paths of the contract.
const (
	PathSeals = "/api/v1/sign/seals"
	PathSign  = "/api/v1/sign/tasks"
)

// CodeNoSeal refuses who has no seal or a lapsed one.
const CodeNoSeal = "3101"

// Query asks for the seal of a person or organisation by sealed number.
type Query struct {
	SubjectEnc string `json:"subject_enc"`
}

// Seal is the state of a seal.
type Seal struct {
	Has    bool   `json:"has"`
	Issuer string `json:"issuer"`
	Serial string `json:"serial"`
	Until  string `json:"valid_to"`
	State  string `json:"state"` // VALID EXPIRED REVOKED
}

// Task asks for a digest to be sealed.
type Task struct {
	SubjectEnc string `json:"subject_enc"`
	Digest     string `json:"doc_sm3"`
}

// Done is a sealed digest.
type Done struct {
	TaskID string `json:"task_id"`
}
