package gm

import (
	"context"
	"encoding/binary"
)

// Fields seals single fields of a record: each value is bound to the record it
// belongs to and to its path, so that a cipher text moved to another record or
// field does not open.
type Fields struct {
	keys    Keys
	purpose string
}

// NewFields returns a field cipher under one purpose, "field" for form leaves.
func NewFields(keys Keys, purpose string) Fields { return Fields{keys: keys, purpose: purpose} }

// SealField encrypts value for path of record owner (a case's id).
func (f Fields) SealField(ctx context.Context, owner, path, value string) ([]byte, error) {
	return f.keys.Seal(ctx, f.purpose, []byte(value), place(owner, path))
}

// OpenField decrypts what SealField made for the same owner and path; anything
// else is ErrSealed.
func (f Fields) OpenField(ctx context.Context, owner, path string, sealed []byte) (string, error) {
	b, err := f.keys.Open(ctx, f.purpose, sealed, place(owner, path))
	return string(b), err
}

// IndexField returns the blind index of value among values of one kind
// ("resident-id"): equal values of one kind give equal indexes, whatever record
// or path they stand at. The caller normalises value first.
func (f Fields) IndexField(ctx context.Context, kind, value string) (string, error) {
	return f.keys.Index(ctx, f.purpose, string(place(kind, value)))
}

// SealField encrypts value for path of case caseID under purpose "field".
func SealField(ctx context.Context, keys Keys, caseID, path, value string) ([]byte, error) {
	return NewFields(keys, "field").SealField(ctx, caseID, path, value)
}

// OpenField decrypts what SealField made for the same case and path.
func OpenField(ctx context.Context, keys Keys, caseID, path string, sealed []byte) (string, error) {
	return NewFields(keys, "field").OpenField(ctx, caseID, path, sealed)
}

// place joins two strings so that no other pair gives the same bytes.
func place(a, b string) []byte {
	out := make([]byte, 4, 4+len(a)+len(b))
	binary.BigEndian.PutUint32(out, uint32(len(a))) //nolint:gosec // ids and paths are short
	out = append(out, a...)
	return append(out, b...)
}
