package process

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"

	"haoban/platform/errs"
)

// Limits of what Parse reads, so that a broken or hostile file costs little.
const (
	maxBytes    = 4 << 20
	maxDepth    = 64
	maxElements = 20000
	maxIncoming = 64 // of one inclusive join
)

// Namespaces of a diagram.
const (
	nsBPMN     = "http://www.omg.org/spec/BPMN/20100524/MODEL"
	nsBPMNDI   = "http://www.omg.org/spec/BPMN/20100524/DI"
	nsFlowable = "http://flowable.org/bpmn"
	nsHaoban   = "http://haoban/bpmn"
	nsXSI      = "http://www.w3.org/2001/XMLSchema-instance"
)

// cosmetic reports whether a namespace only carries colours and the like.
func cosmetic(ns string) bool {
	switch ns {
	case "http://bpmn.io/schema/bpmn/biocolor/1.0", "http://www.omg.org/spec/BPMN/non-normative/color/1.0",
		"http://camunda.org/schema/modeler/1.0", "http://flowable.org/modeler", nsXSI:
		return true
	}
	return false
}

// elem is one XML element.
type elem struct {
	space, tag string
	attrs      []xml.Attr
	kids       []*elem
	text       string
	line       int
}

// attr returns an attribute without namespace.
func (e *elem) attr(name string) string { return e.attrNS("", name) }

func (e *elem) attrNS(space, name string) string {
	for i := range e.attrs {
		if e.attrs[i].Name.Local == name && e.attrs[i].Name.Space == space {
			return strings.TrimSpace(e.attrs[i].Value)
		}
	}
	return ""
}

// label names the element for people: its id, or its tag.
func (e *elem) label() string {
	if id := e.attr("id"); id != "" {
		return id
	}
	return "<" + e.tag + ">"
}

// readTree reads a document. The drawing (BPMN DI) is skipped.
func readTree(file string, src []byte) (*elem, error) {
	bad := func(line int, msg string, cause error) error {
		e := errs.New(errs.Invalid, "process.xml", fmt.Sprintf("流程图 %s 第 %d 行不是规范的 XML：%s", file, line, msg))
		if cause != nil {
			return e.Wrap(cause)
		}
		return e
	}
	if len(src) > maxBytes {
		return nil, errs.New(errs.TooLarge, "process.large", fmt.Sprintf("流程图 %s 太大", file))
	}
	dec := xml.NewDecoder(bytes.NewReader(src))
	var root *elem
	var stack []*elem
	count := 0
	for {
		line, _ := dec.InputPos()
		tok, err := dec.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, bad(line, "无法读取", err)
		}
		switch t := tok.(type) {
		case xml.Directive:
			return nil, bad(line, "不允许 DOCTYPE 等声明", nil)
		case xml.StartElement:
			if count++; count > maxElements || len(stack) >= maxDepth {
				return nil, bad(line, "元素太多或嵌套太深", nil)
			}
			if t.Name.Space == nsBPMNDI && len(stack) == 1 {
				if err := dec.Skip(); err != nil {
					return nil, bad(line, "无法读取", err)
				}
				continue
			}
			e := &elem{space: t.Name.Space, tag: t.Name.Local, attrs: t.Attr, line: line}
			if len(stack) == 0 {
				if root != nil {
					return nil, bad(line, "有多个根元素", nil)
				}
				root = e
			} else {
				up := stack[len(stack)-1]
				up.kids = append(up.kids, e)
			}
			stack = append(stack, e)
		case xml.EndElement:
			stack = stack[:len(stack)-1]
		case xml.CharData:
			if len(stack) > 0 {
				stack[len(stack)-1].text += string(t)
			}
		}
	}
	if root == nil {
		return nil, bad(1, "文件是空的", nil)
	}
	return root, nil
}
