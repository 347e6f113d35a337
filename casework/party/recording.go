package party

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"haoban/casework"
	"haoban/platform/db"
	"haoban/platform/errs"
	"haoban/platform/gm"
	"haoban/platform/ident"
)

// maxChunks bounds one recording: an hour of two-second pieces.
const maxChunks = 1800

// Answer is one question with the moment it was answered in the recording.
type Answer struct {
	ID   string `json:"id"`
	Text string `json:"text"`
	Said string `json:"said"`
	AtMS int64  `json:"atMs"`
}

// Chunk is one stored piece of a recording. The chunks are the evidence; the
// chain over their digests binds their order.
type Chunk struct {
	N    int    `json:"n"`
	SM3  string `json:"sm3"`
	Size int64  `json:"size"`
	At   int64  `json:"at"`
}

// Recording is one double recording (双录) of one party.
type Recording struct {
	ID, Party, Case, Mime, State   string
	DurationMS                     int64
	Answers                        []Answer
	Digest                         string // what was shown when it was made
	Chain                          string // SM3 over the chunk digests in order, once finished
	Started, Ended                 int64
	Review, ReviewBy, ReviewReason string
	ReviewAt                       int64
	Chunks                         []Chunk
}

// errNoRecording answers not there and not yours alike.
var errNoRecording = errs.New(errs.NotFound, "recording.not_found", "没有这段录像，或者您无权查看")

// BeginInput begins a recording.
type BeginInput struct {
	Party string `json:"party"`
	Mime  string `json:"mime"`
}

func (r *Room) beginRecording(ctx context.Context, w *casework.Work, c casework.Command, _ any) (any, error) {
	in, err := decode[BeginInput](c)
	if err != nil {
		return nil, err
	}
	p, err := r.act(ctx, w, in.Party, "recording")
	if err != nil {
		return nil, err
	}
	id := db.NewID()
	if _, err := w.Tx.Exec(ctx, `INSERT INTO pty_recording (id, party, case_id, mime, state, duration_ms, answers, digest, chain, started_at,
		ended_at, review, review_by, review_at, review_reason) VALUES ($1,$2,$3,$4,'open',0,'[]',$5,'',$6,0,'','',0,'')`,
		id, p.ID, w.ID, in.Mime, p.Digest, w.Tx.NowMS()); err != nil {
		return nil, fmt.Errorf("recording: %w", err)
	}
	return map[string]string{"recordingId": id}, nil
}

// ChunkInput is one piece, already stored under its digest.
type ChunkInput struct {
	Recording string `json:"recording"`
	N         int    `json:"n"`
	SM3       string `json:"sm3"`
	Size      int64  `json:"size"`
}

// chunk takes the next piece. The same piece again is fine; another piece under
// the same number, or a gap, is refused.
func (r *Room) chunk(ctx context.Context, w *casework.Work, c casework.Command, _ any) (any, error) {
	in, err := decode[ChunkInput](c)
	if err != nil {
		return nil, err
	}
	rec, err := r.mine(ctx, w, in.Recording)
	if err != nil {
		return nil, err
	}
	if rec.State != "open" {
		return nil, errs.New(errs.Conflict, "recording.closed", "这段录像已经结束，不能再加")
	}
	for _, have := range rec.Chunks {
		if have.N == in.N {
			if have.SM3 == in.SM3 {
				return map[string]int{"next": len(rec.Chunks)}, nil
			}
			return nil, errs.New(errs.Conflict, "recording.chunk", "这一段已经存了不同的内容")
		}
	}
	if in.N != len(rec.Chunks) {
		return nil, errs.New(errs.Conflict, "recording.gap", "前面还有一段没有传上来").
			With("n", "next", fmt.Sprintf("下一段应为第 %d 段", len(rec.Chunks)))
	}
	if in.N >= maxChunks {
		return nil, errs.New(errs.TooLarge, "recording.long", "录像太长，请重新录制，回答完问题即可结束")
	}
	if _, err := w.Tx.Exec(ctx, `INSERT INTO pty_chunk (recording, n, sm3, size, at) VALUES ($1,$2,$3,$4,$5)`,
		in.Recording, in.N, in.SM3, in.Size, w.Tx.NowMS()); err != nil {
		return nil, fmt.Errorf("recording: %w", err)
	}
	return map[string]int{"next": in.N + 1}, nil
}

// mine loads an open recording of the actor's own party in this bundle.
func (r *Room) mine(ctx context.Context, w *casework.Work, id string) (Recording, error) {
	rec, err := r.recording(ctx, w.Tx, id)
	if err != nil {
		return rec, err
	}
	if _, err := r.act(ctx, w, rec.Party, "recording"); err != nil {
		return Recording{}, err
	}
	return rec, nil
}

// FinishInput ends a recording.
type FinishInput struct {
	Recording  string   `json:"recording"`
	Answers    []Answer `json:"answers"`
	DurationMS int64    `json:"durationMs"`
}

// finishRecording closes the recording and binds its pieces by a chain over
// their digests. Every question of the party must be answered in it.
func (r *Room) finishRecording(ctx context.Context, w *casework.Work, c casework.Command, _ any) (any, error) {
	in, err := decode[FinishInput](c)
	if err != nil {
		return nil, err
	}
	rec, err := r.mine(ctx, w, in.Recording)
	if err != nil {
		return nil, err
	}
	if rec.State == "done" {
		return nil, nil
	}
	if len(rec.Chunks) == 0 {
		return nil, errs.New(errs.Invalid, "recording.empty", "没有收到录像内容，请重新录制")
	}
	p, err := r.Get(ctx, w.Tx, w.Actor, rec.Party)
	if err != nil {
		return nil, err
	}
	asked := 0
	for _, q := range r.Questions(w, p) {
		asked++
		ok := false
		for _, a := range in.Answers {
			ok = ok || a.ID == q.ID && a.Said != ""
		}
		if !ok {
			return nil, errs.New(errs.Invalid, "recording.answers", "还有问题没有回答").With("answers", "required", q.Text)
		}
	}
	chain := Chain(rec.Chunks)
	if _, err := w.Tx.Exec(ctx, `UPDATE pty_recording SET state = 'done', duration_ms = $1, answers = $2, chain = $3, ended_at = $4 WHERE id = $5`,
		in.DurationMS, js(in.Answers), chain, w.Tx.NowMS(), rec.ID); err != nil {
		return nil, fmt.Errorf("recording: %w", err)
	}
	if err := r.evidence(ctx, w, p, "recording", chain, map[string]any{"recording": rec.ID, "questions": asked}); err != nil {
		return nil, err
	}
	return nil, r.mark(ctx, w, &p, "recording")
}

// Chain is the SM3 chain over the digests of the chunks in order: the digest of
// the digest before and the next one.
func Chain(chunks []Chunk) string {
	h := ""
	for _, c := range chunks {
		h = gm.SM3([]byte(h + c.SM3))
	}
	return h
}

// Questions are the questions a party is asked, each once, over all roles.
func (r *Room) Questions(w *casework.Work, p Party) []Answer {
	var out []Answer
	seen := map[string]bool{}
	for _, role := range p.Roles {
		for _, m := range w.Mates() {
			if m.ID != role.Case {
				continue
			}
			def, ok := m.M.PartyOf(role.Role)
			if !ok {
				continue
			}
			for _, q := range def.Questions {
				if !seen[q.ID] {
					seen[q.ID] = true
					out = append(out, Answer{ID: q.ID, Text: q.Text, Said: ""})
				}
			}
		}
	}
	return out
}

func (r *Room) recording(ctx context.Context, q db.Querier, id string) (Recording, error) {
	rs, err := r.recordings(ctx, q, `r.id = $1`, id)
	if err != nil {
		return Recording{}, err
	}
	if len(rs) != 1 {
		return Recording{}, errNoRecording
	}
	return rs[0], nil
}

// Recordings returns the recordings of a case; the caller has passed the
// visibility filter. Recordings hang on the first case of the bundle and are
// shown with each.
func (r *Room) Recordings(ctx context.Context, q db.Querier, bundle string) ([]Recording, error) {
	return r.recordings(ctx, q, `r.party IN (SELECT id FROM pty_party WHERE bundle = $1)`, bundle)
}

// SeeRecording reads one recording for an official who sees its case; nobody else
// may.
func (r *Room) SeeRecording(ctx context.Context, s *casework.Service, q db.Querier, a ident.Actor, id string) (Recording, error) {
	rec, err := r.recording(ctx, q, id)
	if err != nil {
		return rec, err
	}
	ok, err := s.Visible(ctx, q, a, rec.Case)
	if err != nil {
		return Recording{}, err
	}
	if !ok || a.Kind != ident.KindOfficial {
		return Recording{}, errNoRecording
	}
	return rec, nil
}

func (r *Room) recordings(ctx context.Context, q db.Querier, where string, args ...any) (out []Recording, err error) {
	rows, err := q.Query(ctx, `SELECT r.id, r.party, r.case_id, r.mime, r.state, r.duration_ms, r.answers, r.digest, r.chain, r.started_at,
		r.ended_at, r.review, r.review_by, r.review_at, r.review_reason, c.n, c.sm3, c.size, c.at
		FROM pty_recording r LEFT JOIN pty_chunk c ON c.recording = r.id WHERE `+where+` ORDER BY r.started_at, r.id, c.n`, args...)
	if err != nil {
		return nil, fmt.Errorf("recordings: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var x Recording
		var answers string
		var n, size, at sql.NullInt64
		var sm3 sql.NullString
		if err := rows.Scan(&x.ID, &x.Party, &x.Case, &x.Mime, &x.State, &x.DurationMS, &answers, &x.Digest, &x.Chain, &x.Started,
			&x.Ended, &x.Review, &x.ReviewBy, &x.ReviewAt, &x.ReviewReason, &n, &sm3, &size, &at); err != nil {
			return nil, err
		}
		if err := json.Unmarshal([]byte(answers), &x.Answers); err != nil {
			return nil, fmt.Errorf("recording: %w", err)
		}
		if len(out) == 0 || out[len(out)-1].ID != x.ID {
			out = append(out, x)
		}
		if n.Valid {
			last := &out[len(out)-1]
			last.Chunks = append(last.Chunks, Chunk{N: int(n.Int64), SM3: sm3.String, Size: size.Int64, At: at.Int64})
		}
	}
	return out, rows.Err()
}

// ReviewInput is a reviewer's mark on a recording.
type ReviewInput struct {
	Recording string `json:"recording"`
	Result    string `json:"result"` // pass, redo
	Reason    string `json:"reason,omitempty"`
}

// review marks a recording pass or redo. A redo asks the party again: the
// consent stays on record and the case is 补正 in that one thing.
func (r *Room) review(ctx context.Context, w *casework.Work, c casework.Command, _ any) (any, error) {
	in, err := decode[ReviewInput](c)
	if err != nil {
		return nil, err
	}
	rec, err := r.SeeRecording(ctx, w.Service(), w.Tx, w.Actor, in.Recording)
	if err != nil {
		return nil, err
	}
	if rec.Case != w.ID {
		if err := w.LoadMates(ctx); err != nil {
			return nil, err
		}
	}
	if !w.Official(ident.RoleExaminer) && !w.Official(ident.RoleWindow) {
		return nil, casework.ErrNotYours
	}
	switch in.Result {
	case "pass":
	case "redo":
		if in.Reason == "" {
			return nil, errs.New(errs.Invalid, "reason.missing", "请写明为什么要重录").With("reason", "required", "当事人会看到您的理由")
		}
	default:
		return nil, errs.New(errs.Invalid, "recording.result", "请选择通过或重录").With("result", "one_of", "通过或重录")
	}
	if _, err := w.Tx.Exec(ctx, `UPDATE pty_recording SET review = $1, review_by = $2, review_at = $3, review_reason = $4 WHERE id = $5`,
		in.Result, w.Actor.ID, w.Tx.NowMS(), in.Reason, rec.ID); err != nil {
		return nil, fmt.Errorf("recording: %w", err)
	}
	text := "意愿录像审核通过"
	if in.Result == "redo" {
		text = "意愿录像要求重录"
	}
	w.Emit("recording_reviewed", w.Actor.Name+" "+text, in.Reason, map[string]any{"recording": rec.ID, "result": in.Result})
	return nil, nil
}

// RecordingCase returns the case a recording hangs on, to the person it is of;
// anybody else is told there is none.
func (r *Room) RecordingCase(ctx context.Context, q db.Querier, a ident.Actor, id string) (string, error) {
	rec, err := r.recording(ctx, q, id)
	if err != nil {
		return "", err
	}
	_, err = r.Get(ctx, q, a, rec.Party)
	if errs.CodeOf(err) == ErrNone.Code {
		return "", errNoRecording
	}
	return rec.Case, err
}
