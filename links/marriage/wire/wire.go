// Package wire is what 全国婚姻库（E-14）and this house say to each other. 双方婚姻状态核验。没有记录不等于未婚，对方没有应答更不是。
package wire

// System is the partner's short name.
const System = "marriage"

// PathMarriage is the one question.
const PathMarriage = "/api/v1/verify/marriage"

// Query asks about two persons; names and numbers are sealed.
type Query struct {
	NameAEnc string `json:"name_a_enc"`
	IDAEnc   string `json:"id_a_enc"`
	NameBEnc string `json:"name_b_enc"`
	IDBEnc   string `json:"id_b_enc"`
}

// Answer is what the register says of the two.
type Answer struct {
	Status  string `json:"status"` // MARRIED DIVORCED NONE UNKNOWN
	RegNo   string `json:"reg_no,omitempty"`
	RegDate string `json:"reg_date,omitempty"`
	Org     string `json:"org,omitempty"`
}
