package web

import (
	"encoding"
	"encoding/json"
	"reflect"
	"strings"
)

// maxDepth ends the walk of a value that JSON could not write anyway.
const maxDepth = 64

// notNull returns v with every nil slice in it replaced by an empty one, so that
// a client never meets null where the document promises an array. v itself is
// not changed: it may be shared.
func notNull(v any) any {
	if v == nil {
		return nil
	}
	if out, changed := filled(reflect.ValueOf(v), 0); changed {
		return out.Interface()
	}
	return v
}

var (
	jsonMarshaler = reflect.TypeFor[json.Marshaler]()
	textMarshaler = reflect.TypeFor[encoding.TextMarshaler]()
)

func filled(v reflect.Value, depth int) (reflect.Value, bool) {
	t := v.Type()
	if depth > maxDepth || t.Implements(jsonMarshaler) || t.Implements(textMarshaler) ||
		t.Kind() != reflect.Pointer && (reflect.PointerTo(t).Implements(jsonMarshaler) || reflect.PointerTo(t).Implements(textMarshaler)) {
		return v, false
	}
	switch t.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return v, false
		}
		in, changed := filled(v.Elem(), depth+1)
		if !changed {
			return v, false
		}
		if t.Kind() == reflect.Interface {
			out := reflect.New(t).Elem()
			out.Set(in)
			return out, true
		}
		out := reflect.New(t.Elem())
		out.Elem().Set(in)
		return out, true
	case reflect.Struct:
		return filledStruct(v, depth)
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return v, false
		}
		if v.IsNil() {
			return reflect.MakeSlice(t, 0, 0), true
		}
		return filledList(v, depth)
	case reflect.Map:
		var out reflect.Value
		for it := v.MapRange(); it.Next(); {
			x, changed := filled(it.Value(), depth+1)
			if !changed {
				continue
			}
			if !out.IsValid() {
				out = reflect.MakeMapWithSize(t, v.Len())
				for all := v.MapRange(); all.Next(); {
					out.SetMapIndex(all.Key(), all.Value())
				}
			}
			out.SetMapIndex(it.Key(), x)
		}
		return orSame(out, v)
	}
	return v, false
}

func filledStruct(v reflect.Value, depth int) (reflect.Value, bool) {
	t := v.Type()
	var out reflect.Value
	for i := range t.NumField() {
		f := t.Field(i)
		tag := f.Tag.Get("json")
		if f.PkgPath != "" && !f.Anonymous || tag == "-" || strings.Contains(tag, ",omitzero") || !v.Field(i).CanInterface() {
			continue
		}
		x, changed := filled(v.Field(i), depth+1)
		if !changed {
			continue
		}
		if !out.IsValid() {
			out = reflect.New(t).Elem()
			out.Set(v)
		}
		out.Field(i).Set(x)
	}
	return orSame(out, v)
}

func filledList(v reflect.Value, depth int) (reflect.Value, bool) {
	var out reflect.Value
	for i := range v.Len() {
		x, changed := filled(v.Index(i), depth+1)
		if !changed {
			continue
		}
		if !out.IsValid() {
			out = reflect.MakeSlice(v.Type(), v.Len(), v.Len())
			reflect.Copy(out, v)
		}
		out.Index(i).Set(x)
	}
	return orSame(out, v)
}

func orSame(out, v reflect.Value) (reflect.Value, bool) {
	if out.IsValid() {
		return out, true
	}
	return v, false
}
