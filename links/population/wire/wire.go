// Package wire is what the city's population services (人口核验, 户籍关系核验
// E-15, 监护人关系核验 E-16) and this house say to each other.
package wire

// System is the partner's short name.
const System = "population"

// Paths of the contract.
const (
	PathPerson    = "/api/v1/verify/person"
	PathHousehold = "/api/v1/verify/household"
	PathGuardian  = "/api/v1/verify/guardian"
)

// Refusals of the services.
const (
	CodeNoPurpose = "3201" // no purpose, or one without a legal basis
)

// Purpose says why somebody is asked about, and who asks: no question without.
type Purpose struct {
	Item     string `json:"item_code"`
	CaseNo   string `json:"case_no"`
	Operator string `json:"operator"`
}

// PersonQuery asks whether a name and a number belong together. Both are
// sealed.
type PersonQuery struct {
	Purpose Purpose `json:"purpose"`
	NameEnc string  `json:"name_enc"`
	IDEnc   string  `json:"id_enc"`
}

// The verdicts on a person.
const (
	Match    = "MATCH"
	Mismatch = "MISMATCH" // the number is another's
	NoRecord = "NO_RECORD"
)

// Person is the answer. Everything but Result is empty unless Result is Match.
type Person struct {
	Result     string `json:"result"`
	State      string `json:"state,omitempty"`       // NORMAL or DECEASED
	Sex        string `json:"sex,omitempty"`         // 男 女
	Birth      string `json:"birth,omitempty"`       // 2006-01-02
	FormerEnc  string `json:"former_enc,omitempty"`  // 曾用名, sealed
	AddressEnc string `json:"address_enc,omitempty"` // 户籍地址, sealed
}

// HouseholdQuery asks what B is to A.
type HouseholdQuery struct {
	Purpose  Purpose `json:"purpose"`
	IDAEnc   string  `json:"id_a_enc"`
	NameAEnc string  `json:"name_a_enc"`
	IDBEnc   string  `json:"id_b_enc"`
	NameBEnc string  `json:"name_b_enc"`
}

// Household is the answer. Relation is empty when the register shows none,
// which does not mean that there is none.
type Household struct {
	Result   string `json:"result"`             // Match, Mismatch, NoRecord
	Relation string `json:"relation,omitempty"` // 配偶 父 母 子 女
	SameBook bool   `json:"same_book"`          // on one 户口簿
}

// GuardianQuery asks whether Guardian is the guardian of Minor.
type GuardianQuery struct {
	Purpose         Purpose `json:"purpose"`
	MinorIDEnc      string  `json:"minor_id_enc"`
	MinorNameEnc    string  `json:"minor_name_enc"`
	GuardianIDEnc   string  `json:"guardian_id_enc"`
	GuardianNameEnc string  `json:"guardian_name_enc"`
}

// Guardian is the answer.
type Guardian struct {
	Match bool   `json:"match"`
	Basis string `json:"basis"` // 出生登记, or why not
}
