package web

import (
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/validation"
)

// TestEveryMessage: no message of huma reaches a person in English, or as the
// shrug that unknown ones get.
func TestEveryMessage(t *testing.T) {
	t.Parallel()
	fill := strings.NewReplacer("%v", "5", "%d", "5", "%s", "name")
	for _, m := range []string{
		validation.MsgUnexpectedProperty, validation.MsgExpectedRFC3339DateTime, validation.MsgExpectedRFC1123DateTime, validation.MsgExpectedRFC3339Date,
		validation.MsgExpectedRFC3339Time, validation.MsgExpectedRFC5322Email, validation.MsgExpectedRFC5890Hostname, validation.MsgExpectedRFC2673IPv4,
		validation.MsgExpectedRFC2373IPv6, validation.MsgExpectedRFCIPAddr, validation.MsgExpectedRFC3986URI, validation.MsgExpectedRFC4122UUID,
		validation.MsgExpectedRFC6570URITemplate, validation.MsgExpectedRFC6901JSONPointer, validation.MsgExpectedRFC6901RelativeJSONPointer,
		validation.MsgExpectedRegexp, validation.MsgExpectedMatchAtLeastOneSchema, validation.MsgExpectedMatchExactlyOneSchema,
		validation.MsgExpectedNotMatchSchema, validation.MsgExpectedPropertyNameInObject, validation.MsgExpectedBoolean, validation.MsgExpectedDuration,
		validation.MsgExpectedNumber, validation.MsgExpectedInteger, validation.MsgExpectedString, validation.MsgExpectedBase64String,
		validation.MsgExpectedArray, validation.MsgExpectedObject, validation.MsgExpectedArrayItemsUnique, validation.MsgExpectedOneOf,
		validation.MsgExpectedMinimumNumber, validation.MsgExpectedExclusiveMinimumNumber, validation.MsgExpectedMaximumNumber,
		validation.MsgExpectedExclusiveMaximumNumber, validation.MsgExpectedNumberBeMultipleOf, validation.MsgExpectedMinLength,
		validation.MsgExpectedMaxLength, validation.MsgExpectedBePattern, validation.MsgExpectedMatchPattern, validation.MsgExpectedMinItems,
		validation.MsgExpectedMaxItems, validation.MsgExpectedMinProperties, validation.MsgExpectedMaxProperties,
		validation.MsgExpectedRequiredProperty, validation.MsgExpectedDependentRequiredProperty,
		"unknown query parameter", "required path parameter is missing", "invalid integer", "invalid float", "invalid floating value", "invalid boolean",
		"invalid date/time for format RFC3339", "invalid url.URL value", "invalid value: x", "unparsable value",
		"expected at most one value, but received multiple values", "cannot read multipart form: EOF",
	} {
		f := fieldOf(&huma.ErrorDetail{Location: "body.a[2].b", Message: fill.Replace(m), Value: "310101199001011234"})
		if f.Rule == "invalid" || strings.Contains(f.Msg, "%") || strings.Contains(f.Msg, "310101") {
			t.Errorf("%q becomes %+v", m, f)
		}
		if !strings.HasPrefix(f.Path, "a.2.b") {
			t.Errorf("path %q", f.Path)
		}
	}
	for in, want := range map[string]string{"body": "", "query.n": "n", "path.id": "id", "body[0].x": "0.x", "body.body": "body", "odd": "odd"} {
		if got := fieldPath(in); got != want {
			t.Errorf("%s: %q, want %q", in, got, want)
		}
	}
}
