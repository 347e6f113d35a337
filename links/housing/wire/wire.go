// Package wire is what 房管局网签与预售系统（E-36）and this house say to each other. 预售合同、贷款合同、预售许可范围；登记结果回写合同状态。
package wire

// System is the partner's short name.
const System = "housing"

// Paths of the contract.
const (
	PathContract   = "/api/v1/contracts/query"
	PathLoan       = "/api/v1/loans/query"
	PathPermit     = "/api/v1/permits/covers"
	PathRegistered = "/api/v1/contracts/registered"
)

// CodeUnknown refuses a number that is not there.
const CodeUnknown = "3101"

// Query asks by number.
type Query struct {
	No string `json:"no"`
}

// Party is one buyer or borrower; name, number and phone are sealed.
type Party struct {
	NameEnc   string `json:"name_enc"`
	IDEnc     string `json:"id_enc"`
	MobileEnc string `json:"mobile_enc,omitempty"`
	Share     string `json:"share,omitempty"`
}

// Contract is a presale contract.
type Contract struct {
	No            string  `json:"no"`
	State         string  `json:"state"` // VALID CANCELLED
	Unit          string  `json:"unit"`
	AddressEnc    string  `json:"address_enc"`
	District      string  `json:"district"`
	AreaCM        int64   `json:"area_cm"`
	Price         int64   `json:"price"` // 分
	PermitNo      string  `json:"permit_no"`
	InPermit      bool    `json:"in_permit"`
	DeveloperName string  `json:"developer_name"`
	DeveloperUSCC string  `json:"developer_uscc"`
	Common        string  `json:"common"`
	Buyers        []Party `json:"buyers"`
}

// Loan is a purchase loan with its mortgage contract.
type Loan struct {
	No       string `json:"no"`
	Contract string `json:"contract_no"`
	Amount   int64  `json:"amount"` // 分
	From     string `json:"from"`
	To       string `json:"to"`
	Restrict bool   `json:"no_transfer"`
	BankName string `json:"bank_name"`
	BankUSCC string `json:"bank_uscc"`
}

// PermitQuery asks whether a developer may sell a unit.
type PermitQuery struct {
	USCC string `json:"uscc"`
	Unit string `json:"unit"`
}

// Covered is the answer.
type Covered struct {
	Covered bool   `json:"covered"`
	Permit  string `json:"permit_no"`
}

// Registered tells that a contract's notice was entered.
type Registered struct {
	Contract string `json:"contract_no"`
	Unit     string `json:"unit"`
	CaseNo   string `json:"case_no"`
	At       string `json:"at"`
}
