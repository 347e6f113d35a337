package api

import (
	"context"
	"iter"

	"haoban/casework"
	"haoban/casework/party"
	"haoban/platform/ident"
)

// exportMax bounds one export.
const exportMax = 20000

// exportRows streams the list the asker may see, page by page.
func (r *Routes) exportRows(ctx context.Context, a ident.Actor, q casework.Query) iter.Seq2[[]any, error] {
	q.Limit, q.Cursor = 500, ""
	return func(yield func([]any, error) bool) {
		for n := 0; n < exportMax; {
			l, err := r.list(ctx, a, q)
			if err != nil {
				yield(nil, err)
				return
			}
			for _, c := range l.Items {
				due := ""
				if c.Clock != nil {
					due = c.Clock.Text
				}
				if !yield([]any{c.No, c.Matter.Name, c.PhaseText, c.District, c.SubmittedAt, due, c.Title}, nil) {
					return
				}
				n++
			}
			if l.Next == "" {
				return
			}
			q.Cursor = l.Next
		}
	}
}

func (r *Routes) recordingView(ctx context.Context, rec party.Recording) RecordingView {
	v := RecordingView{ID: rec.ID, Mime: rec.Mime, DurationMS: rec.DurationMS, Chunks: rec.Chunks, Questions: rec.Answers, Review: rec.Review, ReviewReason: rec.ReviewReason}
	ok := party.Chain(rec.Chunks) == rec.Chain
	for _, c := range rec.Chunks {
		if _, err := r.Blobs.Stat(ctx, blobHash(c.SM3)); err != nil {
			ok = false
		}
	}
	v.Integrity.OK, v.Integrity.Text = ok, "每一段的摘要与录制时一致"
	if !ok {
		v.Integrity.Text = "有内容与录制时不一致，不能作为依据"
	}
	return v
}
