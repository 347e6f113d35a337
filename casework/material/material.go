// Package material keeps the papers of a case: where each came from, every
// version of it, and who may read or write it now. Bytes are in platform/blob,
// addressed by their SM3.
package material

import (
	"context"
	"database/sql"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"haoban/casework"
	"haoban/platform/db"
	"haoban/platform/errs"
	"haoban/platform/ident"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations is the line of tables of this room, prefix mat_.
func Migrations() db.Line { return db.Line{Room: "mat", FS: migrations} }

// The origins of a material. What a register or partner gave and what a person
// uploaded are told apart on every page (R2.7).
const (
	Partner   = "partner"   // fetched from a partner
	Upload    = "upload"    // uploaded by the applicant
	Made      = "made"      // made by the house from the form
	Scan      = "scan"      // scanned at the window
	Inherited = "inherited" // taken over from an earlier case
)

// ErrNoRight says that this place is not open for writing now.
var ErrNoRight = errs.New(errs.Forbidden, "material.closed", "这项材料现在不能上传；需要补的时候系统会通知您")

// Version is one version of a paper.
type Version struct {
	N      int
	Name   string
	Mime   string
	Size   int64
	SM3    string
	ByID   string
	ByName string
	At     int64
}

// Material is one paper with its versions, newest last.
type Material struct {
	ID, Case, Node, Name, Group string
	Origin, Source              string
	State                       string
	At                          int64
	Versions                    []Version
}

// Latest returns the newest version, false if there is none.
func (m Material) Latest() (Version, bool) {
	if len(m.Versions) == 0 {
		return Version{}, false
	}
	return m.Versions[len(m.Versions)-1], true
}

// In is a new version of the paper at Node.
type In struct {
	Node, Name, Group string
	Origin, Source    string
	File, Mime, SM3   string
	Size              int64
}

// Put adds a version to the paper at in.Node, making the paper if it is not
// there, and returns its id. Putting the same bytes again adds nothing.
func Put(ctx context.Context, w *casework.Work, in In) (string, error) {
	var id, last string
	var n int
	err := w.Tx.QueryRow(ctx, `SELECT m.id, m.latest, coalesce(v.sm3, '') FROM mat_material m
		LEFT JOIN mat_version v ON v.material_id = m.id AND v.n = m.latest WHERE m.case_id = $1 AND m.node = $2`,
		w.ID, in.Node).Scan(&id, &n, &last)
	now := w.Tx.NowMS()
	switch {
	case errors.Is(err, sql.ErrNoRows):
		id = db.NewID()
		if _, err := w.Tx.Exec(ctx, `INSERT INTO mat_material (id, case_id, node, name, grp, origin, source, state, latest, at)
			VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10)`, id, w.ID, in.Node, in.Name, in.Group, in.Origin, in.Source, "present", 1, now); err != nil {
			return "", fmt.Errorf("material: %w", err)
		}
	case err != nil:
		return "", fmt.Errorf("material: %w", err)
	case last == in.SM3:
		return id, nil
	default:
		if _, err := w.Tx.Exec(ctx, `UPDATE mat_material SET latest = $1, origin = $2, source = $3, state = $4, at = $5 WHERE id = $6`,
			n+1, in.Origin, in.Source, "present", now, id); err != nil {
			return "", fmt.Errorf("material: %w", err)
		}
	}
	if _, err := w.Tx.Exec(ctx, `INSERT INTO mat_version (material_id, n, name, mime, size, sm3, by_id, by_name, at)
		VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9)`, id, n+1, in.File, in.Mime, in.Size, in.SM3, w.Actor.ID, casework.ActorName(w.Actor), now); err != nil {
		return "", fmt.Errorf("material: %w", err)
	}
	return id, nil
}

// Of returns the papers of a case in the order they came, for a caller who has
// already passed the visibility filter.
func Of(ctx context.Context, q db.Querier, caseID string) (out []Material, err error) {
	rows, err := q.Query(ctx, `SELECT m.id, m.case_id, m.node, m.name, m.grp, m.origin, m.source, m.state, m.at,
		v.n, v.name, v.mime, v.size, v.sm3, v.by_id, v.by_name, v.at
		FROM mat_material m JOIN mat_version v ON v.material_id = m.id WHERE m.case_id = $1 ORDER BY m.id, v.n`, caseID)
	if err != nil {
		return nil, fmt.Errorf("materials: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var m Material
		var v Version
		if err := rows.Scan(&m.ID, &m.Case, &m.Node, &m.Name, &m.Group, &m.Origin, &m.Source, &m.State, &m.At,
			&v.N, &v.Name, &v.Mime, &v.Size, &v.SM3, &v.ByID, &v.ByName, &v.At); err != nil {
			return nil, err
		}
		if len(out) == 0 || out[len(out)-1].ID != m.ID {
			out = append(out, m)
		}
		last := &out[len(out)-1]
		last.Versions = append(last.Versions, v)
	}
	return out, rows.Err()
}

// See returns one paper of a case for a person. Who may not see the case, and
// an officials' paper asked for by an outsider, are answered alike: there is
// none.
func See(ctx context.Context, s *casework.Service, q db.Querier, a ident.Actor, caseID, id string) (Material, error) {
	none := errs.New(errs.NotFound, "material.not_found", "没有这份材料，或者您无权查看")
	ok, err := s.Visible(ctx, q, a, caseID)
	if err != nil {
		return Material{}, err
	}
	if !ok {
		return Material{}, none
	}
	all, err := Of(ctx, q, caseID)
	if err != nil {
		return Material{}, err
	}
	for _, m := range all {
		if m.ID == id && MayRead(a, m) {
			return m, nil
		}
	}
	return Material{}, none
}

// MayRead reports whether a, who may see the case, may read the paper: what
// stands under office/ is for officials.
func MayRead(a ident.Actor, m Material) bool {
	return a.Kind == ident.KindOfficial || a.Kind == ident.KindSystem || !strings.HasPrefix(m.Node, "office/")
}

// MayWrite reports whether the actor of w may put a paper at node now: the
// applicant while drafting, or where a 补正 or a consulted department opened the
// place, until it closes; an official who handles the case may scan.
func MayWrite(ctx context.Context, w *casework.Work, node string) (origin, name string, err error) {
	def, known := w.M.MaterialAt(node)
	if w.Phase.Over() {
		return "", "", ErrNoRight
	}
	if w.Applicant() {
		if w.Phase == casework.Draft && known && def.Origin == "upload" {
			return Upload, def.Name, nil
		}
		rights, err := w.Service().Rights(ctx, w.Tx, w.ID)
		if err != nil {
			return "", "", err
		}
		for _, r := range rights {
			if r.Node == node && r.Scope == "applicant" {
				return Upload, r.Name, nil
			}
		}
		return "", "", ErrNoRight
	}
	if known && w.Official(ident.RoleWindow) {
		return Scan, def.Name, nil
	}
	return "", "", ErrNoRight
}

// AttachInput hangs a finished upload into a case.
type AttachInput struct {
	Node string `json:"node"`
	File string `json:"file"`
	Mime string `json:"mime"`
	SM3  string `json:"sm3"`
	Size int64  `json:"size"`
}

// Commands are the commands of this room.
func Commands() map[string]casework.Handler {
	return map[string]casework.Handler{"material.attach": {Audit: "material.upload", Apply: attach}}
}

func attach(ctx context.Context, w *casework.Work, c casework.Command, _ any) (any, error) {
	var in AttachInput
	if err := json.Unmarshal(c.Data, &in); err != nil {
		return nil, errs.New(errs.Invalid, "command.data", "提交的内容格式不对，请刷新页面再试").Wrap(err)
	}
	origin, name, err := MayWrite(ctx, w, in.Node)
	if err != nil {
		return nil, err
	}
	group := "申请人上传"
	if def, ok := w.M.MaterialAt(in.Node); ok {
		group = def.Group
		if len(def.Mimes) > 0 && !slices.Contains(def.Mimes, in.Mime) {
			return nil, errs.New(errs.Invalid, "upload.mime", name+"不能用这种文件").With("material."+in.Node, "mime", "请上传列出的文件类型")
		}
	} else if strings.HasPrefix(in.Node, "consult/") {
		group = "征询补充"
	}
	id, err := Put(ctx, w, In{Node: in.Node, Name: name, Group: group, Origin: origin, Source: "", File: in.File, Mime: in.Mime, SM3: in.SM3, Size: in.Size})
	if err != nil {
		return nil, err
	}
	w.Emit("uploaded", "上传 "+name, in.Node, map[string]any{"material": id})
	return map[string]string{"id": id}, nil
}
