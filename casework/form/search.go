package form

import (
	"slices"
	"strings"
	"unicode"

	"haoban/platform/codes"
)

// maxTokens bounds what one value adds to the index.
const maxTokens = 500

// Tokens returns what to index for each x-search leaf that has a value: by the
// leaf's pattern, the tokens of all its values.
func (f *Form) Tokens(data map[string]any) map[string][]string {
	out := map[string][]string{}
	for _, l := range f.leaves {
		if !l.Search {
			continue
		}
		v, ok := f.Get(data, l.Path)
		if !ok {
			continue
		}
		list, isList := v.([]any)
		if !isList {
			list = []any{v}
		}
		var all []string
		for _, it := range list {
			all = append(all, IndexTokens(Str(it))...)
		}
		slices.Sort(all)
		if all = slices.Compact(all); len(all) > 0 {
			out[l.Path] = all[:min(len(all), maxTokens)]
		}
	}
	return out
}

// IndexTokens returns the tokens a value is found by: the whole value
// normalised, the bigrams of its Chinese, its runs of letters and digits, and
// single Chinese characters that stand alone.
func IndexTokens(value string) []string {
	whole := codes.Normalise(value)
	if whole == "" {
		return nil
	}
	out := []string{whole}
	for _, r := range runs(whole) {
		out = append(out, grams(r)...)
	}
	return compact(out)
}

// SearchTokens returns the tokens that a value must all have to be found by
// what was typed: bigrams of Chinese and runs of letters and digits, or what
// was typed as it is when there are none.
func SearchTokens(typed string) []string {
	whole := codes.Normalise(typed)
	if whole == "" {
		return nil
	}
	var out, single []string
	for _, r := range runs(whole) {
		if len(r) == 1 && unicode.Is(unicode.Han, r[0]) {
			single = append(single, string(r))
			continue
		}
		out = append(out, grams(r)...)
	}
	if out = compact(out); len(out) > 0 {
		return out
	}
	if len(single) == 1 {
		return single
	}
	return []string{whole}
}

// runs cuts text into runs of Chinese and runs of other letters and digits.
func runs(s string) (out [][]rune) {
	kind := func(r rune) int {
		switch {
		case unicode.Is(unicode.Han, r):
			return 1
		case unicode.IsLetter(r), unicode.IsDigit(r):
			return 2
		}
		return 0
	}
	last := 0
	for _, r := range s {
		k := kind(r)
		if k != 0 && k == last {
			out[len(out)-1] = append(out[len(out)-1], r)
		} else if k != 0 {
			out = append(out, []rune{r})
		}
		last = k
	}
	return out
}

func grams(r []rune) []string {
	if !unicode.Is(unicode.Han, r[0]) || len(r) == 1 {
		return []string{string(r)}
	}
	out := make([]string, 0, len(r))
	for i := range len(r) - 1 {
		out = append(out, string(r[i:i+2]))
	}
	return out
}

// compact takes out repetitions and keeps the order.
func compact(in []string) []string {
	seen := map[string]bool{}
	out := in[:0]
	for _, s := range in {
		if s = strings.ToValidUTF8(s, ""); s != "" && !seen[s] {
			seen[s] = true
			out = append(out, s)
		}
	}
	return out
}
