package simkit

import (
	"html/template"
	"net/http"
)

const frame = `<!doctype html><html lang="zh-CN"><meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1"><title>{{.Title}}（模拟）</title>
<style>body{font-family:sans-serif;max-width:46rem;margin:0 auto;padding:1rem;line-height:1.6}
.sim{background:#b00020;color:#fff;padding:.6rem 1rem;margin:-1rem -1rem 1rem}
table{border-collapse:collapse;width:100%}td,th{border-bottom:1px solid #ddd;padding:.3rem .5rem;text-align:left}
button{font-size:1rem;padding:.4rem 1rem}</style>
<p class="sim">{{.Notice}}</p><h1>{{.Title}}</h1>{{template "inner" .Data}}</html>`

// WritePage writes a page for a person's browser, under the sentence that it
// is a simulation. body is a template over data.
func WritePage(w http.ResponseWriter, title, body string, data any) {
	inner, err := template.New("body").Parse(body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	outer, err := template.New("frame").Parse(frame)
	if err == nil {
		_, err = outer.AddParseTree("inner", inner.Tree)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set(Header, "simulated; no authority stands behind this")
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	_ = outer.Execute(w, page{title, Notice, data})
}

type page struct {
	Title, Notice string
	Data          any
}
