package web

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strings"

	"haoban/platform/errs"
)

// mimes are the kinds of files a built front end holds. The machine's own table
// is not asked: it differs from one machine to another.
func mimeOf(name string) string {
	switch path.Ext(name) {
	case ".html":
		return "text/html; charset=utf-8"
	case ".js", ".mjs":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".json", ".map":
		return "application/json"
	case ".webmanifest":
		return "application/manifest+json"
	case ".svg":
		return "image/svg+xml"
	case ".png":
		return "image/png"
	case ".jpg", ".jpeg":
		return "image/jpeg"
	case ".webp":
		return "image/webp"
	case ".ico":
		return "image/x-icon"
	case ".woff2":
		return "font/woff2"
	case ".woff":
		return "font/woff"
	case ".ttf":
		return "font/ttf"
	case ".wasm":
		return "application/wasm"
	case ".txt":
		return "text/plain; charset=utf-8"
	}
	return "application/octet-stream"
}

// page is one file of a front end with its compressed forms.
type page struct {
	mime, etag   string
	plain        []byte
	br, gz       []byte
	neverChanges bool
}

// Pages serves a built front end below prefix, which begins and ends with a
// slash. Files below assets/ have their hash in their name and are cached for
// ever; all others are asked for again each time. x.br and x.gz beside x are
// sent to who takes them. A path without an extension that is no file is
// answered with index.html, since the page itself knows its paths. All files are
// read into memory now.
func (s *Server) Pages(prefix string, fsys fs.FS) error {
	pages := map[string]*page{}
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(name, ".br") || strings.HasSuffix(name, ".gz") {
			return err
		}
		p := &page{mime: mimeOf(name), neverChanges: strings.HasPrefix(name, "assets/")}
		if p.plain, err = fs.ReadFile(fsys, name); err != nil {
			return err
		}
		for ext, to := range map[string]*[]byte{".br": &p.br, ".gz": &p.gz} {
			if *to, err = fs.ReadFile(fsys, name+ext); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
		sum := sha256.Sum256(p.plain)
		p.etag = hex.EncodeToString(sum[:12])
		pages[name] = p
		return nil
	})
	if err != nil {
		return fmt.Errorf("web: pages of %s: %w", prefix, err)
	}
	index := pages["index.html"]
	if index == nil {
		return fmt.Errorf("web: pages of %s: no index.html", prefix)
	}
	s.mux.HandleFunc(prefix, func(w http.ResponseWriter, r *http.Request) {
		name := strings.TrimPrefix(r.URL.Path, prefix)
		p := pages[name]
		if p == nil && path.Ext(name) == "" && !strings.HasPrefix(name, "assets/") {
			p = index
		}
		switch {
		case p == nil:
			s.writeProblem(w, r, noRoute())
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			w.Header().Set("Allow", "GET, HEAD")
			s.writeProblem(w, r, &Problem{Status: http.StatusMethodNotAllowed, Code: "request.method", Title: "这个地址只能打开，不能提交"})
		default:
			p.serve(w, r)
		}
	})
	return nil
}

func (p *page) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", p.mime)
	h.Set("Cache-Control", "no-cache")
	if p.neverChanges {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	body, tag := p.plain, p.etag
	if p.br != nil || p.gz != nil {
		h.Add("Vary", "Accept-Encoding")
		switch {
		case p.br != nil && accepts(r, "br"):
			body, tag = p.br, tag+"-br"
			h.Set("Content-Encoding", "br")
		case p.gz != nil && accepts(r, "gzip"):
			body, tag = p.gz, tag+"-gz"
			h.Set("Content-Encoding", "gzip")
		}
	}
	h.Set("ETag", `"`+tag+`"`)
	for t := range strings.SplitSeq(r.Header.Get("If-None-Match"), ",") {
		if t = strings.TrimPrefix(strings.TrimSpace(t), "W/"); t == `"`+tag+`"` || t == "*" {
			h.Del("Content-Encoding")
			w.WriteHeader(http.StatusNotModified)
			return
		}
	}
	h.Set("Content-Length", fmt.Sprint(len(body)))
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // a caller that is gone does not matter
	}
}

// accepts reports whether the request takes an encoding.
func accepts(r *http.Request, encoding string) bool {
	for part := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		name, q, _ := strings.Cut(strings.TrimSpace(part), ";")
		if strings.TrimSpace(name) == encoding {
			q = strings.ReplaceAll(q, " ", "")
			return q != "q=0" && q != "q=0.0" && q != "q=0.00" && q != "q=0.000"
		}
	}
	return false
}

// Handle adds a plain handler outside the API, such as a page's redirect. A
// pattern below /api/ is refused: routes there are registered for an audience.
func (s *Server) Handle(pattern string, h http.Handler) error {
	_, p, ok := strings.Cut(pattern, " ")
	if !ok {
		p = pattern
	}
	if strings.HasPrefix(p, "/api/") {
		return errs.New(errs.Internal, "web.audience", "接口必须登记受众").Wrap(fmt.Errorf("pattern %q", pattern))
	}
	s.mux.Handle(pattern, h)
	return nil
}
