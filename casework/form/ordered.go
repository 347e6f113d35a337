package form

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// object is a JSON object that remembers the order of its keys.
type object struct {
	keys []string
	m    map[string]any
}

func (o *object) str(key string) string {
	if o == nil {
		return ""
	}
	s, _ := o.m[key].(string)
	return s
}

func (o *object) obj(key string) *object {
	if o == nil {
		return nil
	}
	x, _ := o.m[key].(*object)
	return x
}

// maxDepth bounds nesting, of JSON and of references.
const maxDepth = 40

// ordered decodes one JSON value: objects as *object, a key twice is an error,
// numbers as json.Number.
func ordered(b []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	v, err := value(d, 0)
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one JSON value")
	}
	return v, nil
}

func value(d *json.Decoder, depth int) (any, error) {
	if depth > maxDepth {
		return nil, errors.New("nested too deep")
	}
	t, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch t {
	case json.Delim('{'):
		o := &object{m: map[string]any{}}
		for d.More() {
			k, err := d.Token()
			if err != nil {
				return nil, err
			}
			key, ok := k.(string)
			if !ok {
				return nil, errors.New("key is no string")
			}
			if _, twice := o.m[key]; twice {
				return nil, fmt.Errorf("key %q twice", key)
			}
			if o.m[key], err = value(d, depth+1); err != nil {
				return nil, err
			}
			o.keys = append(o.keys, key)
		}
		_, err = d.Token()
		return o, err
	case json.Delim('['):
		list := []any{}
		for d.More() {
			v, err := value(d, depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		_, err = d.Token()
		return list, err
	}
	return t, nil
}

// plain gives a decoded value the shapes of encoding/json.
func plain(v any) any {
	switch x := v.(type) {
	case *object:
		m := make(map[string]any, len(x.m))
		for k, v := range x.m {
			m[k] = plain(v)
		}
		return m
	case []any:
		out := make([]any, len(x))
		for i := range x {
			out[i] = plain(x[i])
		}
		return out
	case json.Number:
		if f, err := x.Float64(); err == nil {
			return f
		}
	}
	return v
}
