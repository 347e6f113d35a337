// Package notice sends short messages: which matter, which receivers, which
// step, which text (R5.3). A message is born in the transaction of the event it
// tells of, once per case, event and receiver, and goes out by job. The text
// carries no personal data; the number is looked up when it is sent.
package notice

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"haoban/casework"
	"haoban/casework/party"
	"haoban/platform/db"
	"haoban/platform/errs"
	"haoban/platform/job"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations is the line of tables of this room, prefix sms_.
func Migrations() db.Line { return db.Line{Room: "sms", FS: migrations} }

// JobSend is the kind of job that sends one message.
const JobSend = "sms.send"

// Gateway sends a short message. Package links/sms is the real one. Send may
// be called again for the same id; the gateway sends once per id.
type Gateway interface {
	Send(ctx context.Context, id, mobile, text string) (ref string, err error)
}

// Book looks up the number of a person or organisation at the moment of
// sending; "" if none is known.
type Book interface {
	Mobile(ctx context.Context, kind, id string) (string, error)
}

// Room is the face of this package.
type Room struct {
	gateway Gateway
	book    Book
	parties *party.Room
	queue   *job.Queue
	site    string
}

// New returns the room. site is the address put in for {link}.
func New(g Gateway, b Book, parties *party.Room, q *job.Queue, site string) *Room {
	return &Room{gateway: g, book: b, parties: parties, queue: q, site: site}
}

type receiver struct{ kind, id, role string }

// On is the subscriber: it writes the messages the matter asks for at event e.
func (r *Room) On(ctx context.Context, w *casework.Work, e casework.Event) error {
	for _, n := range w.M.Notices {
		if n.On != e.Kind {
			continue
		}
		to, err := r.receivers(ctx, w, n.To)
		if err != nil {
			return err
		}
		for _, x := range to {
			if err := r.write(ctx, w, e, x, n.Text); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *Room) receivers(ctx context.Context, w *casework.Work, roles []string) ([]receiver, error) {
	var out []receiver
	seen := map[string]bool{}
	add := func(x receiver) {
		if x.id != "" && !seen[x.kind+x.id] {
			seen[x.kind+x.id] = true
			out = append(out, x)
		}
	}
	var parties []party.Party
	for _, role := range roles {
		if role == "applicant" {
			if w.Org != "" {
				add(receiver{"org", w.Org, role})
			} else {
				add(receiver{"person", w.Opener, role})
			}
			continue
		}
		if parties == nil {
			var err error
			if parties, err = r.parties.Of(ctx, w.Tx, w.Bundle); err != nil {
				return nil, err
			}
		}
		for _, p := range parties {
			for _, have := range p.Roles {
				if have.Case != w.ID || have.Role != role && role != "parties" {
					continue
				}
				if p.Kind == "org" {
					add(receiver{"org", p.Org, role})
				} else {
					add(receiver{"person", p.Person, role})
				}
			}
		}
	}
	return out, nil
}

// write keeps one message. The variables are a short list, so that no identity
// number can be put into a text by configuration.
func (r *Room) write(ctx context.Context, w *casework.Work, e casework.Event, x receiver, text string) error {
	text = strings.NewReplacer("{no}", w.No, "{matter}", w.M.Name, "{text}", e.Text, "{reason}", e.Reason, "{link}", r.site,
		"{until}", str(e.Data["until"])).Replace(text)
	id := db.NewID()
	res, err := w.Tx.Exec(ctx, `INSERT INTO sms_message (id, case_id, seq, receiver, receiver_kind, role, text, state, ref, at, sent_at)
		VALUES ($1,$2,$3,$4,$5,$6,$7,'waiting','',$8,0) ON CONFLICT (case_id, seq, receiver) DO NOTHING`,
		id, w.ID, e.Seq, x.id, x.kind, x.role, text, w.Tx.NowMS())
	if err != nil {
		return fmt.Errorf("notice: %w", err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return err
	}
	return r.queue.Enqueue(ctx, w.Tx, job.New{Kind: JobSend, Target: "sms", Key: id, Args: map[string]string{"id": id}})
}

func str(v any) string {
	s, _ := v.(string)
	return s
}

// Send is the job: it looks the number up and hands the message to the
// gateway, whose own id keeps a repeated job from sending twice.
func (r *Room) Send(ctx context.Context, d *db.DB, j job.Job) error {
	var a struct {
		ID string `json:"id"`
	}
	if err := json.Unmarshal(j.Args, &a); err != nil {
		return fmt.Errorf("notice: %w", err)
	}
	var kind, who, text, state string
	if err := d.Q().QueryRow(ctx, `SELECT receiver_kind, receiver, text, state FROM sms_message WHERE id = $1`, a.ID).
		Scan(&kind, &who, &text, &state); err != nil {
		return fmt.Errorf("notice: %w", err)
	}
	if state == "sent" || state == "no_number" {
		return nil
	}
	mobile, err := r.book.Mobile(ctx, kind, who)
	if err != nil {
		return err
	}
	next, ref := "sent", ""
	if mobile == "" {
		next = "no_number"
	} else if ref, err = r.gateway.Send(ctx, a.ID, mobile, text); err != nil {
		return err
	}
	return d.Group(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE sms_message SET state = $1, ref = $2, sent_at = $3 WHERE id = $4`, next, ref, tx.NowMS(), a.ID)
		return err
	})
}

// Message is one line of the send log.
type Message struct {
	ID, Role, Text, State string
	At, Sent              int64
}

// Log returns the messages of a case, newest last, for a caller who has passed
// the visibility filter.
func Log(ctx context.Context, q db.Querier, caseID string) (out []Message, err error) {
	rows, err := q.Query(ctx, `SELECT id, role, text, state, at, sent_at FROM sms_message WHERE case_id = $1 ORDER BY at, id`, caseID)
	if err != nil {
		return nil, fmt.Errorf("notices: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var m Message
		if err := rows.Scan(&m.ID, &m.Role, &m.Text, &m.State, &m.At, &m.Sent); err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	return out, rows.Err()
}

// ErrUnknown is returned by a Book for a receiver that does not exist.
var ErrUnknown = errs.New(errs.NotFound, "notice.receiver", "没有这个收件人")
