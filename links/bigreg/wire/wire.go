// Package wire is what 大登记子系统（E-46）and this house say to each other. 不动产单元的簿面事实和版本；每条登簿告知一次。
package wire

// System is the partner's short name.
const System = "bigreg"

// Paths of the contract.
const (
	PathFacts = "/api/v1/units/query"
	PathEntry = "/api/v1/entries"
	PathList  = "/api/v1/units/list"
)

// CodeUnknown refuses a unit that is not there.
const CodeUnknown = "3101"

// Query asks for a unit.
type Query struct {
	Unit string `json:"unit"`
}

// ListQuery asks for units a page at a time, for the first filling of a book.
type ListQuery struct {
	From  int `json:"from"`
	Limit int `json:"limit"`
}

// Holder is one holder; name and number are sealed.
type Holder struct {
	NameEnc string `json:"name_enc"`
	IDEnc   string `json:"id_enc"`
	Share   string `json:"share,omitempty"`
}

// Right is one right on a unit.
type Right struct {
	Kind    string   `json:"kind"`
	No      string   `json:"no"`
	Common  string   `json:"common"`
	Amount  int64    `json:"amount"`
	Note    string   `json:"note"`
	Holders []Holder `json:"holders"`
}

// Facts are the opening facts of a unit.
type Facts struct {
	Unit        string  `json:"unit"`
	District    string  `json:"district"`
	AddressEnc  string  `json:"address_enc"`
	AreaCM      int64   `json:"area_cm"` // hundredths of a square metre
	Use         string  `json:"use"`
	Residential bool    `json:"residential"`
	Building    bool    `json:"building"`
	Version     int64   `json:"version"`
	Rights      []Right `json:"rights"`
}

// Entry is an entry told.
type Entry struct {
	No     int64  `json:"no"`
	Unit   string `json:"unit"`
	Case   string `json:"case_id"`
	Kind   string `json:"kind"`
	At     string `json:"at"`
	Digest string `json:"digest"`
}

// Ack is where the unit stands after an entry.
type Ack struct {
	Version int64 `json:"version"`
}
