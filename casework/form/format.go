package form

import (
	"encoding/json"
	"errors"
	"math"
	"net/mail"
	"regexp"
	"strings"
	"time"

	"haoban/platform/codes"
)

// format is one x-format: the type it needs, how a sensitive leaf of it is
// masked, and its check, which returns the value as it is stored. The error's
// text follows the field's title.
type format struct {
	kind  string
	mask  string
	check func(any) (any, error)
}

var (
	rePhone = regexp.MustCompile(`^0\d{2,3}-?\d{7,8}(-\d{1,6})?$`)
	reMonth = regexp.MustCompile(`^\d{4}-(0[1-9]|1[0-2])$`)
)

func formatOf(name string) (format, bool) {
	of := func(mask string, parse func(string) (string, error)) (format, bool) {
		return format{"string", mask, func(v any) (any, error) {
			s, ok := v.(string)
			if !ok {
				return nil, errors.New("应为文字")
			}
			return parse(s)
		}}, true
	}
	switch name {
	case "resident-id":
		return of("id", code(codes.ParseResidentID))
	case "uscc":
		return of("text", code(codes.ParseUSCC))
	case "holder-id": // a person's or a body's number
		return of("id", holder)
	case "org-code":
		return of("text", code(codes.ParseOrgCode))
	case "mobile":
		return of("mobile", code(codes.ParseMobile))
	case "phone":
		return of("mobile", phone)
	case "email":
		return of("email", email)
	case "date":
		return of("text", date)
	case "year-month":
		return of("text", month)
	case "unit-code":
		return of("text", code(codes.ParseUnitCode))
	case "parcel-code":
		return of("text", code(codes.ParseParcelCode))
	case "title-no":
		return of("text", code(codes.ParseTitleNo))
	case "proof-no":
		return of("text", code(codes.ParseProofNo))
	case "doc-no":
		return of("text", code(codes.ParseDocNo))
	case "permit-no":
		return of("text", code(codes.ParsePermitNo))
	case "project-code":
		return of("text", code(codes.ParseProjectCode))
	case "supervision-no":
		return of("text", code(codes.ParseSupervisionNo))
	case "land-supervision-no":
		return of("text", code(codes.ParseLandSupervisionNo))
	case "elicense-id":
		return of("text", code(codes.ParseELicenseID))
	case "district":
		return of("text", district)
	case "share":
		return of("text", code(codes.ParseShare))
	case "money":
		return format{"integer", "text", money}, true
	}
	return format{}, false
}

func code[T interface{ String() string }](parse func(string) (T, error)) func(string) (string, error) {
	return func(s string) (string, error) {
		v, err := parse(s)
		if err != nil {
			return "", errors.New(codes.Why(err))
		}
		return v.String(), nil
	}
}

func holder(s string) (string, error) {
	if r, err := codes.ParseResidentID(s); err == nil {
		return r.String(), nil
	}
	if u, err := codes.ParseUSCC(s); err == nil {
		return u.String(), nil
	}
	return "", errors.New("应为 18 位身份证号或统一社会信用代码，校验位不对的请核对有没有输错")
}

func phone(s string) (string, error) {
	if m, err := codes.ParseMobile(s); err == nil {
		return m.String(), nil
	}
	if s = codes.Normalise(s); rePhone.MatchString(s) {
		return s, nil
	}
	return "", errors.New("应为 11 位手机号，或 021-12345678 样子的座机号")
}

func email(s string) (string, error) {
	s = strings.TrimSpace(s)
	if a, err := mail.ParseAddress(s); err != nil || a.Address != s || len(s) > 254 || !strings.Contains(s, ".") {
		return "", errors.New("应为电子邮箱，如 name@example.com")
	}
	return s, nil
}

func date(s string) (string, error) {
	s = codes.Normalise(s)
	if _, err := time.Parse(time.DateOnly, s); err != nil {
		return "", errors.New("应为存在的日期，写成 2026-11-23 的样子")
	}
	return s, nil
}

func month(s string) (string, error) {
	if s = codes.Normalise(s); !reMonth.MatchString(s) {
		return "", errors.New("应为年月，写成 2026-11 的样子")
	}
	return s, nil
}

func district(s string) (string, error) {
	d, err := codes.ParseDistrict(s)
	if err != nil {
		return "", errors.New(codes.Why(err))
	}
	return d.Code, nil
}

// maxMoney is a trillion yuan in fen, well inside what JSON carries exactly.
const maxMoney = 1e14

func money(v any) (any, error) {
	n, ok := number(v)
	if !ok || n != math.Trunc(n) {
		return nil, errors.New("应为金额（按分计的整数）")
	}
	if n < 0 || n > maxMoney {
		return nil, errors.New("应为 0 到 1 万亿元之间的金额")
	}
	if _, ok := v.(json.Number); ok {
		return n, nil
	}
	return v, nil
}
