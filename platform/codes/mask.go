package codes

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

func stars(n int) string { return strings.Repeat("*", n) }

// compound are the surnames 复姓 of two characters.
const compound = " 欧阳 上官 司马 司徒 诸葛 东方 皇甫 尉迟 公孙 令狐 慕容 宇文 长孙 端木 夏侯 轩辕 钟离 闻人 独孤 南宫 西门 万俟 申屠 太史 公冶 澹台 濮阳 淳于 单于 呼延 赫连 拓跋 百里 东郭 南门 "

// MaskName hides a person's name: 张*, 王*明, 欧** for a compound surname, the
// first letter alone for a foreign name. Masking a masked name changes nothing.
func MaskName(s string) string {
	r := []rune(strings.TrimSpace(s))
	switch n := len(r); {
	case n == 0:
		return ""
	case strings.ContainsRune(s, '*'):
		return string(r)
	case n == 1:
		return "*"
	case !unicode.Is(unicode.Han, r[0]), strings.ContainsAny(s, "·•・"):
		return string(r[0]) + "***"
	case n == 2:
		return string(r[0]) + "*"
	case strings.Contains(compound, " "+string(r[:2])+" "):
		return string(r[0]) + stars(n-1)
	default:
		return string(r[0]) + stars(n-2) + string(r[n-1])
	}
}

// MaskID hides an identity document's number but its first three and last four
// characters: 310***********0019. Short numbers are hidden but their last two.
func MaskID(s string) string { return keep(s, 3, 4) }

// MaskMobile hides the middle of a mobile number: 199****0001. A number with a
// dash is a landline: 021-****1234.
func MaskMobile(s string) string {
	if area, rest, ok := strings.Cut(s, "-"); ok && len(rest) >= 4 {
		return area + "-****" + rest[len(rest)-4:]
	}
	return keep(s, 3, 4)
}

// MaskCard hides a bank account but its last four digits: ****1234.
func MaskCard(s string) string {
	if utf8.RuneCountInString(s) <= 4 {
		return stars(utf8.RuneCountInString(s))
	}
	r := []rune(s)
	return "****" + string(r[len(r)-4:])
}

// MaskEmail hides an address but its first character and its domain:
// z***@x.com.
func MaskEmail(s string) string {
	at := strings.LastIndexByte(s, '@')
	if at < 0 {
		return MaskAny(s)
	}
	_, n := utf8.DecodeRuneInString(s[:at])
	return s[:n] + "***" + s[at:]
}

// MaskAddress hides an address after its road or lane: 北京西路**号,
// 世纪大道100弄**号. Without a road it is cut after the village or town, and
// without that nothing but the first characters is left.
func MaskAddress(s string) string {
	s = strings.TrimSpace(s)
	if s == "" || strings.ContainsRune(s, '*') {
		return s
	}
	cut := 0
	for _, suffix := range []string{"弄", "路", "大道", "公路", "街", "巷", "村", "镇", "乡"} {
		at := strings.LastIndex(s, suffix)
		if suffix != "弄" {
			at = strings.Index(s, suffix)
		}
		if at > 0 {
			cut = at + len(suffix)
			break
		}
	}
	if cut == 0 {
		r := []rune(s)
		return string(r[:min(len(r)/2, 6)]) + "**"
	}
	if cut == len(s) {
		return s
	}
	if strings.Contains(s[cut:], "号") {
		return s[:cut] + "**号"
	}
	return s[:cut] + "**"
}

// MaskAny hides a text of unknown kind but its first and last character.
func MaskAny(s string) string {
	if utf8.RuneCountInString(s) < 4 {
		return stars(utf8.RuneCountInString(s))
	}
	return keep(s, 1, 1)
}

// keep leaves head and tail characters; where that would leave too little
// hidden, only the last two, or none.
func keep(s string, head, tail int) string {
	r := []rune(s)
	n := len(r)
	switch {
	case n >= head+tail+2:
		return string(r[:head]) + stars(n-head-tail) + string(r[n-tail:])
	case n > 4:
		return stars(n-2) + string(r[n-2:])
	default:
		return stars(n)
	}
}
