// Package matter says what a matter (事项) is: the strict data of its folder,
// read, checked and hashed. It knows no case, no office and no database.
//
// A matter is a folder matters/<office>/<slug>/ with matter.json,
// form.schema.json, form.ui.json, process.bpmn (or the name of a shared one) and
// papers/*.html. The digest over all of them names the version a case began
// with; a running case keeps it.
package matter

// Definition is one matter as read from its folder. Everything in it is data:
// what differs between matters stands here, not in code.
type Definition struct {
	Slug    string `json:"-"`       // "registry/reissue", from the folder
	Office  string `json:"-"`       // first element of the slug
	Code    string `json:"code"`    // code of the matter in the city's catalogue (configuration until the bureau fixes it)
	Name    string `json:"name"`    // name people see
	Short   string `json:"short"`   // at most eight characters, for lists
	Group   string `json:"group"`   // heading on the list of matters
	Summary string `json:"summary"` // one sentence for the start page
	Version int    `json:"version"`

	Audience []string `json:"audience"` // who may apply: person, company, bank, agency
	Who      string   `json:"who"`      // the same in words
	Hosts    []string `json:"hosts"`    // host applications that link here, e.g. 随申办
	Basis    []Basis  `json:"basis"`    // legal basis, at least one
	Steps    []string `json:"steps"`    // the steps an applicant sees, in order
	Needs    []Need   `json:"needs"`    // what the applicant must have at hand
	With     []string `json:"with"`     // slugs that can be filed together after this one (一并申请)
	Follows  string   `json:"follows"`  // slug of the matter this one needs before it, in the bundle or on the register
	Inherit  []Carry  `json:"inherit"`  // fields taken from the case before it in a bundle

	District string `json:"district"` // expression for the six-digit district code that handles the case
	Title    string `json:"title"`    // expression for the title; must yield no personal data

	Prefill   []Prefill  `json:"prefill"`
	Checks    []Check    `json:"checks"`
	Materials []Material `json:"materials"`
	Parties   []Party    `json:"parties"`
	Grant     *Grant     `json:"grant"` // filing for another needs this recorded grant
	Fee       Fee        `json:"fee"`
	Limit     Limit      `json:"limit"`
	Results   []Result   `json:"results"`
	Pushes    []Push     `json:"pushes"`
	Notices   []Notice   `json:"notices"`
	Number    string     `json:"number"`  // name of the number rule of the case
	Process   string     `json:"process"` // file in the folder, or a name in matters/shared
	Guard     *Guard     `json:"guard"`   // dispatch guard (发件强控)
	Archive   Archive    `json:"archive"`
}

// Basis is one article of law or rule the matter rests on.
type Basis struct {
	Law     string `json:"law"`
	Article string `json:"article"`
	Text    string `json:"text"`
}

// Need is something the applicant must have at hand.
type Need struct {
	Name string `json:"name"`
	Text string `json:"text"`
}

// Carry takes a field from the case before this one in the bundle.
type Carry struct {
	From string `json:"from"` // path in the earlier case's form
	To   string `json:"to"`   // path in this form
}

// Prefill asks a source and places what it answers.
type Prefill struct {
	ID     string            `json:"id"`
	Source string            `json:"source"` // name of a source, e.g. population.person
	Text   string            `json:"text"`   // how the source is named to people, e.g. 人口库
	Args   map[string]string `json:"args"`   // argument → expression over form, actor
	Into   map[string]string `json:"into"`   // form path → key in the answer
	Lock   bool              `json:"lock"`   // the applicant may not overtype it (identity, register facts)
	When   string            `json:"when"`   // expression; empty means always
}

// Check is a rule run over the case at the named moments. Either Use names a
// check an office registered, or Expr is a boolean over form, facts and actor.
type Check struct {
	ID      string   `json:"id"`
	Name    string   `json:"name"`
	Use     string   `json:"use"`
	Expr    string   `json:"expr"`
	At      []string `json:"at"`      // choose, ready, submit, accept, enter
	Verdict string   `json:"verdict"` // what a failure means: BLOCK, CONSENT, RISK_ACK, MANUAL, WARN
	Msg     string   `json:"msg"`     // what is wrong and what to do, in Chinese
	Path    string   `json:"path"`    // the field it is about, if one
	Basis   string   `json:"basis"`
	// Unknown says what happens when the fact is not there because the partner
	// did not answer: MANUAL (default) or BLOCK. Silence is never a no.
	Unknown string `json:"unknown"`
}

// Material is one paper of the case.
type Material struct {
	Node     string   `json:"node"` // place in the resource tree, unique in the matter
	Name     string   `json:"name"`
	Group    string   `json:"group"`  // heading in the resource tree
	Origin   string   `json:"origin"` // made, fetched, upload
	Source   string   `json:"source"` // fetched: which prefill or licence brings it
	Paper    string   `json:"paper"`  // made: template in papers/
	When     string   `json:"when"`   // expression; empty means always
	Required bool     `json:"required"`
	Mimes    []string `json:"mimes"`
	MaxMB    int      `json:"maxMB"`
	Exempt   string   `json:"exempt"` // why it is not asked for (免交依据)
	Sign     bool     `json:"sign"`   // persons who consent sign this paper
	Hint     string   `json:"hint"`
}

// Party is a role in the case.
type Party struct {
	Role      string     `json:"role"`
	Name      string     `json:"name"`
	Kind      string     `json:"kind"`  // person, org
	From      string     `json:"from"`  // "applicant", or path of an object or array in the form
	ID        string     `json:"id"`    // key of the identity number within From
	Label     string     `json:"label"` // key of the name within From
	Mobile    string     `json:"mobile"`
	Needs     []string   `json:"needs"` // face, recording, signature, seal, agree
	Order     int        `json:"order"` // 0: any order; else given order, lower first
	Days      int        `json:"days"`  // natural days the invitation lives
	Questions []Question `json:"questions"`
}

// Question is asked during the recording.
type Question struct {
	ID   string `json:"id"`
	Text string `json:"text"`
	Want string `json:"want"` // the answer that expresses consent, e.g. 是
}

// Grant says that an organisation may file only under a grant.
type Grant struct {
	From string `json:"from"` // role of the party who grants
	Text string `json:"text"`
}

// Fee says what a case costs.
type Fee struct {
	Free  bool      `json:"free"`
	Text  string    `json:"text"`
	Basis string    `json:"basis"`
	Items []FeeItem `json:"items"`
	Payer string    `json:"payer"`
}

// FeeItem is one line of a fee, in 分.
type FeeItem struct {
	Code   string `json:"code"`
	Name   string `json:"name"`
	Amount string `json:"amount"` // expression, 分
}

// Limit is how long things may take.
type Limit struct {
	Unit       string `json:"unit"`  // workday, natural
	Legal      int    `json:"legal"` // 0 = 当场
	Promised   int    `json:"promised"`
	Basis      string `json:"basis"`
	Warn       int    `json:"warn"` // days before the end at which the light turns yellow
	Accept     string `json:"accept"`
	Supplement int    `json:"supplement"` // working days an applicant has to mend
	// PauseOnSupplement stays false unless the bureau can name a basis: no law
	// stops the clock for 补正 after acceptance.
	PauseOnSupplement bool     `json:"pauseOnSupplement"`
	Pauses            []Pause  `json:"pauses"`
	Extend            int      `json:"extend"` // working days one extension gives (许可法第四十二条: 10)
	Expire            int      `json:"expire"` // natural days after which an unsigned filing lapses
	Validity          string   `json:"validity"`
	Closed            []string `json:"closed"`
}

// Pause is a lawful reason to stop the clock.
type Pause struct {
	Code  string `json:"code"`
	Name  string `json:"name"`
	Basis string `json:"basis"`
	Max   int    `json:"max"` // working days, 0 = as told in writing
}

// Result is a paper the case ends with.
type Result struct {
	Kind     string `json:"kind"`
	Name     string `json:"name"`
	Paper    string `json:"paper"`
	Number   string `json:"number"` // number rule
	QR       bool   `json:"qr"`
	When     string `json:"when"`
	Holder   string `json:"holder"`  // party role that holds it; empty: the applicant
	Licence  string `json:"licence"` // type code in the licence store (证照库), empty = not filed there
	Releases []Fact `json:"releases"`
}

// Fact is something a checker may see of a result, when the holder lets him.
type Fact struct {
	ID    string `json:"id"`
	Label string `json:"label"`
	Expr  string `json:"expr"`
	Mask  string `json:"mask"` // name, id, address: masked unless released
	On    bool   `json:"on"`   // released by default
}

// Push tells a partner of an event.
type Push struct {
	On   string `json:"on"` // event kind, e.g. accepted, entered, closed
	To   string `json:"to"` // name of a partner port
	Verb string `json:"verb"`
}

// Notice is a short message by configured matter, receiver, step and text.
type Notice struct {
	On   string   `json:"on"`
	To   []string `json:"to"` // party roles; "applicant"
	Text string   `json:"text"`
}

// Guard is the dispatch guard: no 发件 without the number, unless set aside by
// configuration, and shown as such.
type Guard struct {
	Name    string `json:"name"`
	Setting string `json:"setting"`
	Text    string `json:"text"`
}

// Archive says how long the case is kept.
type Archive struct {
	Class string `json:"class"`
	Years int    `json:"years"` // 0 = for ever
}
