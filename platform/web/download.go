package web

import (
	"io"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

// File is the answer of a route that sends a file. Set Content or, for what is
// made while it is sent, Write.
type File struct {
	Name    string            // offered to the browser, may be Chinese
	Mime    string            // "application/octet-stream" when empty
	Inline  bool              // shown rather than saved, if it is of a kind that cannot run anything
	Content io.ReadSeekCloser // closed when sent; ranges are answered
	Write   func(io.Writer) error
	ETag    string // a strong validator without quotes, such as the content's hash; may be empty
}

// shown are the kinds a browser may show in place: none runs scripts.
func shown(mime string) bool {
	kind, _, _ := strings.Cut(mime, ";")
	switch strings.TrimSpace(kind) {
	case "application/pdf", "image/png", "image/jpeg", "image/gif", "image/webp", "text/plain", "video/webm", "video/mp4", "audio/webm", "audio/mpeg", "audio/mp4":
		return true
	}
	return false
}

// Send answers with f. It is what a handler returns: the file is private to the
// caller, is never kept by a cache, and can run nothing even when shown.
func (s *Server) Send(f File) *huma.StreamResponse {
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		r, w := humago.Unwrap(hc)
		s.send(w, r, f)
	}}
}

func (s *Server) send(w http.ResponseWriter, r *http.Request, f File) {
	if f.Content != nil {
		defer func() {
			if err := f.Content.Close(); err != nil {
				s.o.Log.WarnContext(r.Context(), "file not closed", "err", err)
			}
		}()
	}
	if f.Mime == "" {
		f.Mime = "application/octet-stream"
	}
	how := "attachment"
	if f.Inline && shown(f.Mime) {
		how = "inline"
	}
	h := w.Header()
	h.Set("Content-Type", f.Mime)
	h.Set("Content-Disposition", how+"; filename=\"file"+path.Ext(asciiName(f.Name))+"\"; filename*=UTF-8''"+url.PathEscape(f.Name))
	h.Set("Cache-Control", "private, no-store")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; media-src 'self'; object-src 'self'; frame-ancestors 'self'; sandbox")
	if strings.HasPrefix(f.Mime, "application/pdf") { // Chromium's PDF viewer does not work in a sandbox
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; object-src 'self'; frame-ancestors 'self'")
	}
	if f.ETag != "" {
		h.Set("ETag", `"`+f.ETag+`"`)
	}
	_ = http.NewResponseController(w).SetWriteDeadline(s.soon(time.Hour)) // a big file over a slow line
	if f.Content != nil {
		http.ServeContent(w, r, "", time.Time{}, f.Content)
		return
	}
	if err := f.Write(w); err != nil {
		// The head is gone: cut the line, so that half a file is not taken for a whole one.
		_ = s.problem(r.Context(), err) // it is told in the log; the answer has begun
		panic(http.ErrAbortHandler)
	}
}

// asciiName keeps only what an old-fashioned file name may hold.
func asciiName(name string) string {
	return strings.Map(func(r rune) rune {
		if r == '.' || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' {
			return r
		}
		return '_'
	}, name)
}
