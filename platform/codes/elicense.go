package codes

import (
	"regexp"
	"strings"
)

const (
	alpha36    = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	elicenseID = "1.2.156.3005.2."
)

var reELicense = regexp.MustCompile(
	`^1\.2\.156\.3005\.2\.([0-9A-Z]{18}\d{3})\.([0-9A-Z]{18}|\d{6})\.([0-9A-Z]{1,40})\.(\d{3})\.([0-9A-Z])$`)

// ELicenseID is the identifier of an electronic licence 电子证照标识
// (GB/T 36904): type 21, issuer 18, serial, version 3, check 1.
type ELicenseID struct{ num }

// ParseELicenseID reads a licence identifier and checks its check character
// (ISO 7064 MOD 37,36).
func ParseELicenseID(s string) (ELicenseID, error) {
	const code, noun = "elicense_id", "电子证照标识"
	s = Normalise(s)
	m := reELicense.FindStringSubmatch(s)
	if m == nil {
		return ELicenseID{}, refuse(code, noun, "应写成“1.2.156.3005.2.类型.机构.流水号.版本.校验位”的样子")
	}
	if mod3736(m[1]+m[2]+m[3]+m[4]) != m[5][0] {
		return ELicenseID{}, refuse(code, noun, "的校验位不对，请核对有没有输错")
	}
	return ELicenseID{num{s}}, nil
}

// NewELicenseID builds an identifier from its parts: the licence type's 21
// characters, the issuer's credit code (or six-digit district), the serial and
// the version of three digits.
func NewELicenseID(kind, issuer, serial, version string) (ELicenseID, error) {
	body := Normalise(kind + issuer + serial + version)
	for i := range len(body) {
		if strings.IndexByte(alpha36, body[i]) < 0 {
			return ELicenseID{}, refuse("elicense_id", "电子证照标识", "只能由数字和大写字母组成")
		}
	}
	return ParseELicenseID(elicenseID + kind + "." + issuer + "." + serial + "." + version + "." + string(mod3736(body)))
}

// mod3736 is ISO 7064 MOD 37,36; s holds digits and upper-case letters only.
func mod3736(s string) byte {
	p := 36
	for i := range len(s) {
		p = (p + strings.IndexByte(alpha36, s[i])) % 36
		if p == 0 {
			p = 36
		}
		p = p * 2 % 37
	}
	return alpha36[(37-p)%36]
}

// UnmarshalText reads an identifier as ParseELicenseID does; empty text is no
// identifier.
func (e *ELicenseID) UnmarshalText(b []byte) error { return unmarshal(e, b, ParseELicenseID) }

// Parts returns the licence type, the issuer, the serial and the version.
func (e ELicenseID) Parts() (kind, issuer, serial, version string) {
	m := reELicense.FindStringSubmatch(e.s)
	if m == nil {
		return "", "", "", ""
	}
	return m[1], m[2], m[3], m[4]
}

// Masked gives the identifier itself.
func (e ELicenseID) Masked() string { return e.s }
