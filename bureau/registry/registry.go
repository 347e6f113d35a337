// Package registry is the register of record (不动产登记簿): units, rights and
// entries. 大登记 gives the opening facts of a unit with a version; from then on
// the register here is what counts, and 大登记 is told every entry. An entry is
// never undone, only corrected (登条例第九、十三条; 沪登21 第六、十五条).
//
// Names and identity numbers of holders, and addresses, are sealed; they can be
// found by exact value only.
package registry

import (
	"context"
	"database/sql"
	"embed"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"

	"haoban/platform/db"
	"haoban/platform/errs"
	"haoban/platform/gm"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations is the line of tables of this office, prefix reg_.
func Migrations() db.Line { return db.Line{Room: "reg", FS: migrations} }

// The kinds of right and restriction the register knows.
const (
	Ownership         = "ownership"          // 所有权
	Mortgage          = "mortgage"           // 抵押权
	PresaleNotice     = "presale_notice"     // 预购商品房预告登记
	MortgageNotice    = "mortgage_notice"    // 预购商品房抵押权预告登记
	Seizure           = "seizure"            // 查封
	WaitingSeizure    = "waiting_seizure"    // 轮候查封
	PreSeizure        = "pre_seizure"        // 预查封
	Objection         = "objection"          // 异议
	ConstructionPawn  = "construction_pawn"  // 在建建筑物抵押
	Correction        = "correction"         // 更正受理中
	Illegal           = "illegal"            // 附有违法建筑注记
	Expropriation     = "expropriation"      // 征收、收回决定
	ResidenceRight    = "residence_right"    // 居住权
	PolicyRestriction = "policy_restriction" // 保障房等政策限制
)

// KindText names a kind to people.
func KindText(k string) string {
	return map[string]string{
		Ownership: "所有权", Mortgage: "抵押", PresaleNotice: "预告登记", MortgageNotice: "抵押预告", Seizure: "查封",
		WaitingSeizure: "轮候查封", PreSeizure: "预查封", Objection: "异议", ConstructionPawn: "在建工程抵押", Correction: "更正受理中",
		Illegal: "附有违法建筑", Expropriation: "征收或收回", ResidenceRight: "居住权", PolicyRestriction: "政策限制",
	}[k]
}

// Holder is one holder of a right.
type Holder struct {
	Name  string `json:"name"`
	ID    string `json:"id"` // identity number or credit code
	Share string `json:"share,omitempty"`
}

// Right is one right or restriction on a unit.
type Right struct {
	RID     string   `json:"-"`
	Kind    string   `json:"kind"`
	No      string   `json:"no"`     // number of its certificate, if one
	Common  string   `json:"common"` // 单独所有, 共同共有, 按份共有
	Amount  int64    `json:"amount"` // secured sum in 分, mortgages only
	Note    string   `json:"note"`
	Holders []Holder `json:"holders"`
}

// Unit is a unit (不动产单元) with the rights on it now.
type Unit struct {
	Code        string  `json:"unit"`
	District    string  `json:"district"`
	Address     string  `json:"address"`
	Area        int64   `json:"area"` // hundredths of a square metre
	Use         string  `json:"use"`
	Residential bool    `json:"residential"`
	Building    bool    `json:"building"` // under construction, not yet registered for the first time
	Outside     int64   `json:"version"`  // version at 大登记
	Version     int64   `json:"-"`        // version here
	Rights      []Right `json:"rights"`
}

// The refusals of the register.
var (
	ErrNoUnit = errs.New(errs.NotFound, "register.unit", "登记簿上没有这个不动产单元")
	ErrLocked = errs.New(errs.Conflict, "register.locked", "这处不动产正有另一件登记在办，办结后再申请")
	ErrMoved  = errs.New(errs.Conflict, "register.moved", "大登记的簿面刚有变化，请核对后再登簿")
)

// Register is the face of this office. It is safe for concurrent use.
type Register struct{ keys gm.Keys }

// New returns the register.
func New(keys gm.Keys) *Register { return &Register{keys: keys} }

const purpose = "register"

func (r *Register) seal(ctx context.Context, id, path, v string) (string, error) {
	b, err := r.keys.Seal(ctx, purpose, []byte(v), []byte(id+"\x00"+path))
	if err != nil {
		return "", fmt.Errorf("register: %w", err)
	}
	return base64.RawStdEncoding.EncodeToString(b), nil
}

func (r *Register) open(ctx context.Context, id, path, sealed string) (string, error) {
	b, err := base64.RawStdEncoding.DecodeString(sealed)
	if err != nil {
		return "", fmt.Errorf("register: %w", err)
	}
	plain, err := r.keys.Open(ctx, purpose, b, []byte(id+"\x00"+path))
	if err != nil {
		return "", fmt.Errorf("register: %w", err)
	}
	return string(plain), nil
}

func (r *Register) blind(ctx context.Context, v string) (string, error) {
	s, err := r.keys.Index(ctx, purpose, v)
	if err != nil {
		return "", fmt.Errorf("register: %w", err)
	}
	return s, nil
}

// Open takes the facts of a unit as 大登记 tells them. A unit that is here
// already keeps its own entries; only if 大登记 moved on by itself (a version we
// did not cause) are the rights it tells of taken over, the earlier ones ended.
func (r *Register) Open(ctx context.Context, tx *db.Tx, u Unit) error {
	var have int64
	err := tx.QueryRow(ctx, `SELECT outside_version FROM reg_unit WHERE code = $1`+tx.Dialect().ForUpdate(), u.Code).Scan(&have)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		sealed, err := r.seal(ctx, u.Code, "address", u.Address)
		if err != nil {
			return err
		}
		blind, err := r.blind(ctx, u.Address)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO reg_unit (code, district, address_sealed, address_blind, area, use_text, residential, building, outside_version, version, opened_at)
			VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,1,$10) ON CONFLICT (code) DO NOTHING`,
			u.Code, u.District, sealed, blind, u.Area, u.Use, u.Residential, u.Building, u.Outside, tx.NowMS()); err != nil {
			return fmt.Errorf("open unit: %w", err)
		}
	case err != nil:
		return fmt.Errorf("open unit: %w", err)
	case have >= u.Outside:
		return nil
	default:
		if _, err := tx.Exec(ctx, `UPDATE reg_right SET state = 'history', ended = $1 WHERE unit = $2 AND state = 'current'`, tx.NowMS(), u.Code); err != nil {
			return fmt.Errorf("open unit: %w", err)
		}
		if _, err := tx.Exec(ctx, `UPDATE reg_unit SET outside_version = $1, version = version + 1 WHERE code = $2`, u.Outside, u.Code); err != nil {
			return fmt.Errorf("open unit: %w", err)
		}
	}
	for _, x := range u.Rights {
		if err := r.begin(ctx, tx, u.Code, x, 0); err != nil {
			return err
		}
	}
	return nil
}

func (r *Register) begin(ctx context.Context, tx *db.Tx, unit string, x Right, entry int64) error {
	id := db.NewID()
	if _, err := tx.Exec(ctx, `INSERT INTO reg_right (id, unit, kind, state, no, common, amount, note, begun, ended, begun_entry, ended_entry)
		VALUES ($1,$2,$3,'current',$4,$5,$6,$7,$8,0,$9,0)`, id, unit, x.Kind, x.No, x.Common, x.Amount, x.Note, tx.NowMS(), entry); err != nil {
		return fmt.Errorf("right: %w", err)
	}
	for i, h := range x.Holders {
		name, err := r.seal(ctx, id, fmt.Sprintf("name/%d", i), h.Name)
		if err != nil {
			return err
		}
		no, err := r.seal(ctx, id, fmt.Sprintf("id/%d", i), h.ID)
		if err != nil {
			return err
		}
		blind, err := r.blind(ctx, h.ID)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO reg_holder (right_id, seq, name_sealed, id_sealed, id_blind, share) VALUES ($1,$2,$3,$4,$5,$6)`,
			id, i, name, no, blind, h.Share); err != nil {
			return fmt.Errorf("holder: %w", err)
		}
	}
	return nil
}

// Unit reads a unit with its present rights. It returns ErrNoUnit if the
// register has none of that code.
func (r *Register) Unit(ctx context.Context, q db.Querier, code string) (Unit, error) {
	u := Unit{Code: code}
	var sealed string
	err := q.QueryRow(ctx, `SELECT district, address_sealed, area, use_text, residential, building, outside_version, version FROM reg_unit WHERE code = $1`, code).
		Scan(&u.District, &sealed, &u.Area, &u.Use, &u.Residential, &u.Building, &u.Outside, &u.Version)
	if errors.Is(err, sql.ErrNoRows) {
		return u, ErrNoUnit
	}
	if err != nil {
		return u, fmt.Errorf("unit: %w", err)
	}
	if u.Address, err = r.open(ctx, code, "address", sealed); err != nil {
		return u, err
	}
	u.Rights, err = r.rights(ctx, q, code)
	return u, err
}

func (r *Register) rights(ctx context.Context, q db.Querier, unit string) (out []Right, err error) {
	rows, err := q.Query(ctx, `SELECT t.id, t.kind, t.no, t.common, t.amount, t.note, coalesce(h.seq, -1), coalesce(h.name_sealed, ''), coalesce(h.id_sealed, ''), coalesce(h.share, '')
		FROM reg_right t LEFT JOIN reg_holder h ON h.right_id = t.id WHERE t.unit = $1 AND t.state = 'current' ORDER BY t.begun, t.id, h.seq`, unit)
	if err != nil {
		return nil, fmt.Errorf("rights: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var x Right
		var seq int
		var name, id, share string
		if err := rows.Scan(&x.RID, &x.Kind, &x.No, &x.Common, &x.Amount, &x.Note, &seq, &name, &id, &share); err != nil {
			return nil, err
		}
		if len(out) == 0 || out[len(out)-1].RID != x.RID {
			out = append(out, x)
		}
		if seq < 0 {
			continue
		}
		h := Holder{Share: share}
		if h.Name, err = r.open(ctx, x.RID, fmt.Sprintf("name/%d", seq), name); err != nil {
			return nil, err
		}
		if h.ID, err = r.open(ctx, x.RID, fmt.Sprintf("id/%d", seq), id); err != nil {
			return nil, err
		}
		last := &out[len(out)-1]
		last.Holders = append(last.Holders, h)
	}
	return out, rows.Err()
}

// Held returns the units on which the person or company with this number holds
// a present right of one of kinds.
func (r *Register) Held(ctx context.Context, q db.Querier, id string, kinds ...string) ([]Unit, error) {
	codes, err := r.heldCodes(ctx, q, id, kinds)
	if err != nil {
		return nil, err
	}
	out := make([]Unit, 0, len(codes))
	for _, c := range codes {
		u, err := r.Unit(ctx, q, c)
		if err != nil {
			return nil, err
		}
		out = append(out, u)
	}
	return out, nil
}

func (r *Register) heldCodes(ctx context.Context, q db.Querier, id string, kinds []string) (codes []string, err error) {
	blind, err := r.blind(ctx, id)
	if err != nil {
		return nil, err
	}
	rows, err := q.Query(ctx, `SELECT DISTINCT t.unit, t.kind FROM reg_holder h JOIN reg_right t ON t.id = h.right_id
		WHERE h.id_blind = $1 AND t.state = 'current' ORDER BY t.unit`, blind)
	if err != nil {
		return nil, fmt.Errorf("held: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var code, kind string
		if err := rows.Scan(&code, &kind); err != nil {
			return nil, err
		}
		for _, k := range kinds {
			if k == kind && (len(codes) == 0 || codes[len(codes)-1] != code) {
				codes = append(codes, code)
			}
		}
	}
	return codes, rows.Err()
}

// ByCert returns the unit and right of a current certificate number. It returns
// an error of kind errs.NotFound if no right now carries that number.
func (r *Register) ByCert(ctx context.Context, q db.Querier, no string) (Unit, Right, error) {
	var code string
	err := q.QueryRow(ctx, `SELECT unit FROM reg_right WHERE no = $1 AND state = 'current'`, no).Scan(&code)
	if errors.Is(err, sql.ErrNoRows) {
		return Unit{}, Right{}, errs.New(errs.NotFound, "register.cert", "登记簿上没有这个现在有效的证号")
	}
	if err != nil {
		return Unit{}, Right{}, fmt.Errorf("certificate: %w", err)
	}
	u, err := r.Unit(ctx, q, code)
	if err != nil {
		return Unit{}, Right{}, err
	}
	for _, x := range u.Rights {
		if x.No == no {
			return u, x, nil
		}
	}
	return Unit{}, Right{}, ErrNoUnit
}

// Lock gives the unit to one bundle of cases until it is released: only one
// case at a time may change what the register says of a unit.
func (r *Register) Lock(ctx context.Context, tx *db.Tx, unit, caseID, bundle string) error {
	res, err := tx.Exec(ctx, `INSERT INTO reg_lock (unit, case_id, bundle, at) VALUES ($1,$2,$3,$4) ON CONFLICT (unit) DO NOTHING`,
		unit, caseID, bundle, tx.NowMS())
	if err != nil {
		return fmt.Errorf("lock: %w", err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 1 {
		return err
	}
	var whose string
	if err := tx.QueryRow(ctx, `SELECT bundle FROM reg_lock WHERE unit = $1`, unit).Scan(&whose); err != nil {
		return fmt.Errorf("lock: %w", err)
	}
	if whose != bundle {
		return ErrLocked
	}
	return nil
}

// LockedBy returns the bundle that holds the unit, "" if none does.
func (r *Register) LockedBy(ctx context.Context, q db.Querier, unit string) (string, error) {
	var b string
	err := q.QueryRow(ctx, `SELECT bundle FROM reg_lock WHERE unit = $1`, unit).Scan(&b)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("lock: %w", err)
	}
	return b, nil
}

// Unlock releases what a case holds.
func (r *Register) Unlock(ctx context.Context, tx *db.Tx, caseID string) error {
	if _, err := tx.Exec(ctx, `DELETE FROM reg_lock WHERE case_id = $1`, caseID); err != nil {
		return fmt.Errorf("unlock: %w", err)
	}
	return nil
}

// Entry is one act of 登簿 on one unit.
type Entry struct {
	Unit      string
	Case      string
	Kind      string // presale_notice, mortgage_notice, reissue
	Registrar string // user id
	Begin     []Right
	End       []string // ids of rights that end with it
}

// Enter writes an entry: rights end, rights begin, and the unit's version moves
// by one, all in tx. The number of the entry is dense. Entering the same case
// again returns the number it has.
func (r *Register) Enter(ctx context.Context, tx *db.Tx, e Entry) (int64, error) {
	var no int64
	err := tx.QueryRow(ctx, `SELECT no FROM reg_entry WHERE case_id = $1 AND unit = $2 AND kind = $3`, e.Case, e.Unit, e.Kind).Scan(&no)
	if err == nil {
		return no, nil
	}
	if !errors.Is(err, sql.ErrNoRows) {
		return 0, fmt.Errorf("entry: %w", err)
	}
	if err := tx.QueryRow(ctx, `INSERT INTO reg_counter (name, last) VALUES ('entry', 1)
		ON CONFLICT (name) DO UPDATE SET last = reg_counter.last + 1 RETURNING last`).Scan(&no); err != nil {
		return 0, fmt.Errorf("entry: %w", err)
	}
	var version int64
	if err := tx.QueryRow(ctx, `UPDATE reg_unit SET version = version + 1 WHERE code = $1 RETURNING version`, e.Unit).Scan(&version); err != nil {
		if errors.Is(err, sql.ErrNoRows) {
			return 0, ErrNoUnit
		}
		return 0, fmt.Errorf("entry: %w", err)
	}
	for _, id := range e.End {
		res, err := tx.Exec(ctx, `UPDATE reg_right SET state = 'history', ended = $1, ended_entry = $2 WHERE id = $3 AND unit = $4 AND state = 'current'`,
			tx.NowMS(), no, id, e.Unit)
		if err != nil {
			return 0, fmt.Errorf("entry: %w", err)
		}
		if n, err := res.RowsAffected(); err != nil || n != 1 {
			return 0, ErrMoved
		}
	}
	for _, x := range e.Begin {
		if err := r.begin(ctx, tx, e.Unit, x, no); err != nil {
			return 0, err
		}
	}
	b, err := json.Marshal(e)
	if err != nil {
		return 0, fmt.Errorf("entry: %w", err)
	}
	if _, err := tx.Exec(ctx, `INSERT INTO reg_entry (no, unit, case_id, kind, registrar, at, unit_version, digest) VALUES ($1,$2,$3,$4,$5,$6,$7,$8)`,
		no, e.Unit, e.Case, e.Kind, e.Registrar, tx.NowMS(), version, gm.SM3(b)); err != nil {
		return 0, fmt.Errorf("entry: %w", err)
	}
	return no, nil
}

// Moved records that 大登记 took our entry and stands at version now, so that
// its answer is not mistaken for somebody else's change.
func (r *Register) Moved(ctx context.Context, tx *db.Tx, unit string, version int64) error {
	_, err := tx.Exec(ctx, `UPDATE reg_unit SET outside_version = $1 WHERE code = $2 AND outside_version < $1`, version, unit)
	if err != nil {
		return fmt.Errorf("register: %w", err)
	}
	return nil
}
