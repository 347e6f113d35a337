// Package wire is what 随申办 (E-03) and this house say to each other: who came
// over from the app with a ticket, and the card 我的不动产 in the app.
package wire

// System is the partner's short name.
const System = "ssb"

// Paths of the contract.
const (
	PathSession = "/api/v1/ssb/session" // ?ticket=
	PathCard    = "/api/v1/ssb/card"
)

// Refusals of the platform.
const (
	CodeTicket = "3101" // unknown, spent or too old
	CodeHolder = "3102" // nobody of that number has the app
	CodeOld    = "3103" // a newer version of the card is there
)

// Session is who came over; name, number and mobile are sealed.
type Session struct {
	UserID    string `json:"user_id"`
	NameEnc   string `json:"name_enc"`
	IDEnc     string `json:"id_enc"`
	MobileEnc string `json:"mobile_enc"`
	AuthLevel string `json:"auth_level"` // L1 to L4
}

// Line is one line of a card.
type Line struct {
	Label string `json:"label"`
	Value string `json:"value"`
}

// Card is one card in a person's own space of the app. HolderEnc is their
// sealed identity number; a higher Version replaces a lower one.
type Card struct {
	ID        string `json:"card_id"`
	HolderEnc string `json:"holder_enc"`
	Title     string `json:"title"`
	Lines     []Line `json:"lines"`
	URL       string `json:"url"` // where a touch leads
	Version   int64  `json:"version"`
}
