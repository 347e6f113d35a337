package form

import (
	"github.com/santhosh-tekuri/jsonschema/v6"
	"golang.org/x/text/message"
)

// formatCheck is the keyword x-format as the library runs it.
type formatCheck struct{ f format }

func compileFormat(_ *jsonschema.CompilerContext, obj map[string]any) (jsonschema.SchemaExt, error) {
	name, ok := obj["x-format"].(string)
	if !ok {
		return nil, nil //nolint:nilnil // the library's way to say: not here
	}
	f, ok := formatOf(name)
	if !ok {
		return nil, nil //nolint:nilnil // refused by the builder
	}
	return formatCheck{f}, nil
}

// Validate adds an error whose text follows the field's title. A value of
// another type is the keyword type's to refuse.
func (c formatCheck) Validate(ctx *jsonschema.ValidatorContext, v any) {
	if _, isText := v.(string); isText != (c.f.kind == "string") {
		return
	}
	if _, err := c.f.check(v); err != nil {
		ctx.AddError(&badFormat{err.Error()})
	}
}

// badFormat is the failure of x-format.
type badFormat struct{ why string }

// KeywordPath names the keyword.
func (*badFormat) KeywordPath() []string { return []string{"x-format"} }

// LocalizedString gives the reason; it is Chinese already.
func (b *badFormat) LocalizedString(*message.Printer) string { return b.why }
