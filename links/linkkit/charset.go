package linkkit

import (
	"mime"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"

	"haoban/platform/errs"
)

// utf8Of returns body as UTF-8. Old systems answer in GBK, with or without
// saying so; a charset in contentType rules, then whatever is valid. It
// returns an error of kind errs.Unavailable for bytes that are neither.
func utf8Of(contentType string, body []byte) ([]byte, error) {
	charset := ""
	if _, params, err := mime.ParseMediaType(contentType); err == nil {
		charset = strings.ToLower(params["charset"])
	}
	switch charset {
	case "gbk", "gb2312", "gb18030":
	default:
		if utf8.Valid(body) {
			return trimBOM(body), nil
		}
	}
	out, err := simplifiedchinese.GB18030.NewDecoder().Bytes(body)
	if err != nil {
		return nil, errs.New(errs.Unavailable, CodeGarbage, "对方系统返回的内容无法识别").Wrap(err)
	}
	if strings.ContainsRune(string(out), utf8.RuneError) {
		return nil, errs.New(errs.Unavailable, CodeGarbage, "对方系统返回的内容无法识别")
	}
	return out, nil
}

func trimBOM(b []byte) []byte {
	if len(b) >= 3 && b[0] == 0xEF && b[1] == 0xBB && b[2] == 0xBF {
		return b[3:]
	}
	return b
}
