// Package errs sorts failures. The sort is decided where a failure is
// understood and read where it is answered; nothing in between looks at it.
// Every error a person may see carries a stable code and a Chinese sentence
// that a clerk at the window would say.
package errs

import (
	"errors"
	"strings"
)

// Kind is the sort of a failure.
type Kind uint8

// The kinds. Internal is the zero value, so an error nobody classified is ours
// to fix and shows the visitor no detail.
const (
	Internal        Kind = iota // a fault of the house
	Invalid                     // the request cannot be right
	NotFound                    // no such thing, or not yours to see
	Forbidden                   // yours to see, not to change
	Conflict                    // someone was here first
	TooSoon                     // a condition of the law is not met yet
	Unavailable                 // an outside system does not answer
	Unauthenticated             // nobody is logged in
	TooMany                     // asked too often
	TooLarge                    // more bytes than allowed
)

// Field says which field breaks which rule, in words.
type Field struct {
	Path string `json:"path"` // dotted path into the form or request
	Rule string `json:"rule"` // stable name of the rule
	Msg  string `json:"msg"`  // what is wrong and how to mend it, in Chinese
}

// Error is a classified failure. Msg is shown to people as it stands; Err is
// the cause and is only logged.
type Error struct {
	Kind   Kind
	Code   string
	Msg    string
	Fields []Field
	Err    error
}

// New returns an error of kind k with a stable dotted code and a Chinese
// sentence.
func New(k Kind, code, msg string) *Error { return &Error{Kind: k, Code: code, Msg: msg} }

// With returns a copy of e that also names a field.
func (e *Error) With(path, rule, msg string) *Error {
	c := *e
	c.Fields = append(append([]Field(nil), e.Fields...), Field{Path: path, Rule: rule, Msg: msg})
	return &c
}

// WithFields returns a copy of e that also names all of fs.
func (e *Error) WithFields(fs []Field) *Error {
	c := *e
	c.Fields = append(append([]Field(nil), e.Fields...), fs...)
	return &c
}

// Wrap returns a copy of e that carries err as its cause.
func (e *Error) Wrap(err error) *Error {
	c := *e
	c.Err = err
	return &c
}

// Error gives code, sentence, fields and cause for the log.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Code)
	b.WriteString(": ")
	b.WriteString(e.Msg)
	for _, f := range e.Fields {
		b.WriteString("; " + f.Path + " (" + f.Rule + "): " + f.Msg)
	}
	if e.Err != nil {
		b.WriteString(": " + e.Err.Error())
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is reports whether target is an *Error with the same code, so that a package
// may declare its errors as variables and callers may use errors.Is.
func (e *Error) Is(target error) bool {
	var t *Error
	return errors.As(target, &t) && t.Code == e.Code && t.Code != ""
}

// As returns the first classified error in err's chain.
func As(err error) (*Error, bool) {
	var e *Error
	ok := errors.As(err, &e)
	return e, ok
}

// KindOf returns the kind of err, Internal if nobody classified it.
func KindOf(err error) Kind {
	if e, ok := As(err); ok {
		return e.Kind
	}
	return Internal
}

// CodeOf returns the stable code of err, "internal" if nobody classified it.
func CodeOf(err error) string {
	if e, ok := As(err); ok {
		return e.Code
	}
	return "internal"
}
