package codes

import (
	"encoding/json"
	"log/slog"
	"math/big"
	"strings"
	"testing"

	"haoban/platform/calendar"
	"haoban/platform/errs"
)

// kinds parses each kind of number and gives it back as text.
func kinds() map[string]func(string) (string, error) {
	return map[string]func(string) (string, error){
		"resident_id":         text(ParseResidentID),
		"mobile":              text(ParseMobile),
		"uscc":                text(ParseUSCC),
		"org_code":            text(ParseOrgCode),
		"parcel_code":         text(ParseParcelCode),
		"unit_code":           text(ParseUnitCode),
		"title_no":            text(ParseTitleNo),
		"proof_no":            text(ParseProofNo),
		"doc_no":              text(ParseDocNo),
		"permit_no":           text(ParsePermitNo),
		"supervision_no":      text(ParseSupervisionNo),
		"land_supervision_no": text(ParseLandSupervisionNo),
		"project_code":        text(ParseProjectCode),
		"elicense_id":         text(ParseELicenseID),
		"share":               text(ParseShare),
	}
}

func text[T interface{ String() string }](parse func(string) (T, error)) func(string) (string, error) {
	return func(s string) (string, error) {
		v, err := parse(s)
		if err != nil {
			return "", err
		}
		return v.String(), nil
	}
}

// good lists each kind's right numbers as they may be typed, and as stored when
// that differs.
func good() map[string][][2]string {
	same := func(s string) (out [][2]string) {
		for f := range strings.FieldsSeq(s) {
			out = append(out, [2]string{f, f})
		}
		return out
	}
	return map[string][][2]string{
		"resident_id": append(same(`11010519491231002X 440524188001010014 310101199001010012
			310101199102020025 310115198503150035 310104198808080040 310101199003070019
			810000199001010019 83000019920303002X`),
			[2]string{"11010519491231002x", "11010519491231002X"},
			[2]string{" ３１０１０１ 19900101 0012 ", "310101199001010012"}),
		"mobile": {{"19900000001", "19900000001"}, {"+86 199-0000-0001", "19900000001"}, {"１９９００００００01", "19900000001"}},
		"uscc": append(same(`11100000000013338W 11430000006122244L 11330105002500287C 113700000045030270
			11100000000013661B 113700000045046442 11110000000021135M 11100000MB0341032Y 11420503087246977F
			11370800MB28559184 9144030071526726XG 91330100799655058B 914403001922038216 11100000MB03271699
			91310115TEAT00015E 91310101TEAT000230 11310000TEAT00031F 12310000TEAT0004X4 53310000TEAT00058W
			92310112TEAT000668 91310000TEAT00074L`),
			[2]string{"91310115teat00015e", "91310115TEAT00015E"}),
		"org_code":    {{"TEAT0001-5", "TEAT00015"}, {"TEAT0004X", "TEAT0004X"}},
		"parcel_code": {{"310104019001GB00045", "310104019001GB00045"}, {"310104 019001 GB 00045", "310104019001GB00045"}},
		"unit_code": append(same(`310104019001GB00045F00430086 310115001002JC00012F00010001 310151001001GG00001W00000000`),
			[2]string{"310104 019001 GB 00045 F 0043 0086", "310104019001GB00045F00430086"}),
		"title_no": {
			{"沪(2018)徐字不动产权第015979号", "沪(2018)徐字不动产权第015979号"},
			{"沪（2026）市字不动产权第000534号", "沪(2026)市字不动产权第000534号"},
			{"浙(2020)余杭区不动产权第0130664号", "浙(2020)余杭区不动产权第0130664号"},
			{"沪房地徐字（2008）第012345号", "沪房地徐字(2008)第012345号"},
		},
		"proof_no": {{"沪(2026)浦字不动产证明第000001号", "沪(2026)浦字不动产证明第000001号"}},
		"doc_no": {
			{"沪规划资源建〔2021〕437号", "沪规划资源建〔2021〕437号"},
			{"沪规划资源政〔2025〕３６７号", "沪规划资源政〔2025〕367号"},
		},
		"permit_no":           {{"地字第310115202400001号", "地字第310115202400001号"}, {"沪浦地(2019)EA310115201900012", "沪浦地(2019)EA310115201900012"}},
		"supervision_no":      {{"SIM310104202611230001", "SIM310104202611230001"}},
		"land_supervision_no": {{"3101152024B00123", "3101152024B00123"}, {"3101152024B00123-1", "3101152024B00123-1"}, {"SIM310104202611230001", "SIM310104202611230001"}},
		"project_code": {
			{"2011-310115-04-01-123456", "2011-310115-04-01-123456"},
			{"2020-310115-70-03-000000", "2020-310115-70-03-000000"},
			{"26113101150401123456", "2611-310115-04-01-123456"},
		},
		"elicense_id": {
			{"1.2.156.3005.2.11100000000013338W011.11430000006122244L.20230000403.001.U", "1.2.156.3005.2.11100000000013338W011.11430000006122244L.20230000403.001.U"},
			{"1.2.156.3005.2.11100000000013338W009.11330105002500287C.2025052201.002.0", "1.2.156.3005.2.11100000000013338W009.11330105002500287C.2025052201.002.0"},
			{"1.2.156.3005.2.11100000MB03271699022.340100.000000016.001.9", "1.2.156.3005.2.11100000MB03271699022.340100.000000016.001.9"},
		},
		"share": {{"1/2", "1/2"}, {"50%", "1/2"}, {"２／４", "1/2"}, {"33.33%", "3333/10000"}, {"1", "1/1"}, {"100%", "1/1"}},
	}
}

func TestParseGood(t *testing.T) {
	t.Parallel()
	for kind, cases := range good() {
		for _, c := range cases {
			got, err := kinds()[kind](c[0])
			if err != nil || got != c[1] {
				t.Errorf("%s %q = %q, %v, want %q", kind, c[0], got, err, c[1])
			}
		}
	}
}

func TestParseBad(t *testing.T) {
	t.Parallel()
	for kind, cases := range map[string]map[string]string{
		"resident_id": {
			"110105194912310021": "校验位", "31010119901301001X": "出生日期", "310101199002300011": "出生日期",
			"31010119900101001": "18 位", "310101900101001": "15 位旧号码", "990101199001010012x": "18 位",
			"160101199001010012": "省份", "": "18 位",
		},
		"mobile": {"12345678901": "开头", "1990000000": "应为 11 位数字", "1990000000a": "应为 11 位数字"},
		"uscc": {
			"91310115TEAT00015F": "校验位", "91310115TEST00015E": "不会有字母", "9131O115TEAT00015E": "不会有字母",
			"91310115TEAT00015": "18 位", "9131011ATEAT00015E": "行政区划",
		},
		"org_code":    {"TEAT00016": "校验位", "TEAT": "9 位"},
		"parcel_code": {"310104019001GB00000": "00000", "310104019001XB00045": "特征码", "310104": "19 位"},
		"unit_code": {
			"310151001001GG00001W00010001": "最后 8 位应为 0", "31010401900GB00045F00430086": "28 位",
			"310104019001GB00045F004300861": "28 位", "310104019001GB00045X00430086": "定着物",
		},
		"title_no": {
			"沪(2018)京字不动产权第015979号": "不是本市", "沪(2018)徐字不动产权第0159791号": "样子",
			"沪(2018)徐字不动产证明第015979号": "登记证明", "徐字015979": "样子",
		},
		"proof_no":            {"沪(2018)徐字不动产权第015979号": "不动产权证书"},
		"doc_no":              {"沪规划资源建[2021]437号": "六角括号", "沪规划资源建437号": "样子", "沪规划资源建〔2021〕0号": "样子"},
		"permit_no":           {"建字第31011520240000号": "样子"},
		"supervision_no":      {"SIM": "15 到 64 位"},
		"land_supervision_no": {"3101152024": "流水号"},
		"project_code":        {"2011-310115-04-01-12345": "20 位数字", "2099-310115-04-01-123456": "前四位"},
		"elicense_id":         {"1.2.156.3005.2.11100000MB03271699022.340100.000000016.001.8": "校验位", "1.2.3": "样子"},
		"share":               {"0/2": "大于 0", "3/2": "超过", "1/0": "分母", "150%": "超过", "-1/2": "样子", "1.5": "样子", "半": "样子", "1/": "样子"},
	} {
		for in, want := range cases {
			_, err := kinds()[kind](in)
			e, ok := errs.As(err)
			if !ok || e.Kind != errs.Invalid || e.Code != "codes."+kind || !strings.Contains(e.Msg, want) {
				t.Errorf("%s %q: %v, want %q", kind, in, err, want)
				continue
			}
			if !strings.HasSuffix(e.Msg, Why(err)) || Why(err) == e.Msg {
				t.Errorf("%s %q: Why %q does not follow from %q", kind, in, Why(err), e.Msg)
			}
		}
	}
}

func TestUSCCContainsOrgCode(t *testing.T) {
	t.Parallel()
	for _, c := range good()["uscc"] {
		u, err := ParseUSCC(c[0])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ParseOrgCode(u.Org()); err != nil {
			t.Errorf("%s: %v", u, err)
		}
	}
}

func TestResidentID(t *testing.T) {
	t.Parallel()
	r, err := ParseResidentID("310101199102020025")
	if err != nil {
		t.Fatal(err)
	}
	if r.Birth().String() != "1991-02-02" || r.Sex() != "女" {
		t.Error(r.Birth(), r.Sex())
	}
	for day, want := range map[string]int{"2009-02-01": 17, "2009-02-02": 18, "2026-11-23": 35} {
		on, err := calendar.ParseDate(day)
		if err != nil {
			t.Fatal(err)
		}
		if got := r.Age(on); got != want {
			t.Errorf("age on %s = %d, want %d", day, got, want)
		}
	}
	if got := r.LogValue(); got.Kind() != slog.KindString || got.String() != "310***********0025" {
		t.Error(got)
	}
	var zero ResidentID
	if !zero.IsZero() || zero.Sex() != "" || !zero.Birth().IsZero() {
		t.Error("the zero number")
	}
}

func TestUnitParts(t *testing.T) {
	t.Parallel()
	u, err := ParseUnitCode("310104019001GB00045F00430086")
	if err != nil {
		t.Fatal(err)
	}
	want := UnitParts{
		District: "310104", Zone: "019", Subzone: "001", Owner: "G", ParcelType: "B", ParcelSeq: "00045",
		Parcel: "310104019001GB00045", FixtureType: "F", Building: "0043", Unit: "0086",
	}
	if u.Parts() != want || u.Parcel().String() != want.Parcel || u.District() != "310104" {
		t.Errorf("%+v", u.Parts())
	}
	if u.Spaced() != "310104 019001 GB 00045 F 0043 0086" {
		t.Error(u.Spaced())
	}
}

func TestPapers(t *testing.T) {
	t.Parallel()
	n, err := ParseTitleNo("沪房地徐字(2008)第012345号")
	if err != nil {
		t.Fatal(err)
	}
	if n.Parts() != (PaperParts{Province: "沪", Year: 2008, Area: "徐", Serial: "012345", Legacy: true}) {
		t.Errorf("%+v", n.Parts())
	}
	if n, err = ParseTitleNo("浙(2020)余杭区不动产权第0130664号"); err != nil {
		t.Fatal(err)
	}
	if n.Parts() != (PaperParts{Province: "浙", Year: 2020, Area: "余杭区", Serial: "0130664"}) {
		t.Errorf("%+v", n.Parts())
	}
	if n.Masked() != "浙(2020)余杭区不动产权第*****64号" {
		t.Error(n.Masked())
	}
	d, err := ParseDocNo("沪规划资源建〔2021〕437号")
	if err != nil {
		t.Fatal(err)
	}
	if w, y, s := d.Parts(); w != "沪规划资源建" || y != 2021 || s != 437 {
		t.Error(w, y, s)
	}
	for code, want := range map[string]ProjectStyle{
		"2011-310115-04-01-123456": ProjectEither, "2020-310115-70-03-000000": ProjectOld,
		"2611-310115-04-01-123456": ProjectNew, "2016-310115-70-03-000000": ProjectOld,
	} {
		p, err := ParseProjectCode(code)
		if err != nil || p.Style() != want || p.District() != "310115" {
			t.Errorf("%s: %s, %v", code, p.Style(), err)
		}
	}
}

func TestELicense(t *testing.T) {
	t.Parallel()
	e, err := NewELicenseID("11100000000013338W011", "11430000006122244L", "20230000403", "001")
	if err != nil || !strings.HasSuffix(e.String(), ".U") {
		t.Error(e, err)
	}
	kind, issuer, serial, version := e.Parts()
	if kind+"|"+issuer+"|"+serial+"|"+version != "11100000000013338W011|11430000006122244L|20230000403|001" {
		t.Error(kind, issuer, serial, version)
	}
	if _, err := NewELicenseID("短", "", "", ""); errs.CodeOf(err) != "codes.elicense_id" {
		t.Error(err)
	}
}

func TestDistricts(t *testing.T) {
	t.Parallel()
	if len(Districts()) != 16 || len(Towns("")) != 234 {
		t.Fatal(len(Districts()), len(Towns("")))
	}
	for _, d := range Districts() {
		for _, s := range []string{d.Code, d.Name, d.Short} {
			if got, err := ParseDistrict(s); err != nil || got != d {
				t.Errorf("%s: %v %v", s, got, err)
			}
		}
		if len(Towns(d.Code)) == 0 {
			t.Errorf("%s has no town", d.Name)
		}
	}
	for _, town := range Towns("") {
		if _, ok := DistrictOf(town.Code); !ok || len(town.Code) != 9 || town.Name == "" {
			t.Errorf("%+v", town)
		}
	}
	if town, err := ParseTown("310115145"); err != nil || town.Name != "南汇新城镇" {
		t.Error(town, err)
	}
	if _, err := ParseTown("310115999"); errs.CodeOf(err) != "codes.town" {
		t.Error(err)
	}
	if d, err := ParseDistrict("浦东"); err != nil || d.Code != "310115" {
		t.Error(d, err)
	}
	if _, err := ParseDistrict("310103"); !strings.Contains(Why(err), "已并入黄浦区") {
		t.Error(err)
	}
	if _, err := ParseDistrict(SyntheticArea); errs.CodeOf(err) != "codes.district" {
		t.Error(err)
	}
}

func TestShares(t *testing.T) {
	t.Parallel()
	parse := func(s string) Share {
		v, err := ParseShare(s)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	third := parse("1/3")
	if !Whole(third, third, third) || !Equal(third, third, third) || Equal(third, third) || Equal() || Whole() {
		t.Error("thirds")
	}
	if Whole(parse("33.33%"), parse("33.33%"), parse("33.33%")) {
		t.Error("99.99% is not the whole")
	}
	if SumShares(parse("1/2"), third).Cmp(big.NewRat(5, 6)) != 0 {
		t.Error("1/2 + 1/3")
	}
	if parse("2/4") != parse("50%") {
		t.Error("lowest terms")
	}
}

func TestMasks(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		mask     func(string) string
		in, want string
	}{
		{MaskName, "张三", "张*"},
		{MaskName, "王小明", "王*明"},
		{MaskName, "欧阳修", "欧**"},
		{MaskName, "欧阳", "欧*"},
		{MaskName, "王李小明", "王**明"},
		{MaskName, "李", "*"},
		{MaskName, "Smith", "S***"},
		{MaskName, "阿卜杜·热合曼", "阿***"},
		{MaskName, "", ""},
		{MaskID, "310199199001010019", "310***********0019"},
		{MaskID, "E12345", "****45"},
		{MaskID, "123", "***"},
		{MaskMobile, "19900000001", "199****0001"},
		{MaskMobile, "021-62001234", "021-****1234"},
		{MaskCard, "6222000011111234", "****1234"},
		{MaskAddress, "北京西路99号101室", "北京西路**号"},
		{MaskAddress, "浦东新区世纪大道100弄5号302室", "浦东新区世纪大道100弄**号"},
		{MaskAddress, "崇明区港西镇北双村123号", "崇明区港西镇北双村**号"},
		{MaskAddress, "人民广场1栋", "人民广**"},
		{MaskEmail, "zhang@x.com", "z***@x.com"},
		{MaskEmail, "not an address", "n************s"},
	} {
		if got := tt.mask(tt.in); got != tt.want {
			t.Errorf("%q masked %q, want %q", tt.in, got, tt.want)
		}
		if again := tt.mask(tt.want); strings.Count(again, "*") < strings.Count(tt.want, "*") {
			t.Errorf("%q masked again %q", tt.want, again)
		}
	}
}

func TestSynthetic(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	birth := calendar.NewDate(1990, 1, 1)
	for i := range 2000 {
		r := SyntheticResidentID(birth.AddDays(i/1000), i)
		if _, err := ParseResidentID(r.String()); err != nil || r.Sex() != [...]string{"女", "男"}[i%2] {
			t.Fatal(r, err)
		}
		u := SyntheticUSCC(Company, i*7)
		if _, err := ParseUSCC(u.String()); err != nil {
			t.Fatal(u, err)
		}
		if _, err := ParseOrgCode(u.Org()); err != nil || u.Area() != SyntheticArea {
			t.Fatal(u, err)
		}
		c := SyntheticUnitCode(i, i, i)
		if _, err := ParseUnitCode(c.String()); err != nil {
			t.Fatal(c, err)
		}
		for _, s := range []string{r.String(), u.String(), c.String()} {
			if seen[s] {
				t.Fatal("twice: ", s)
			}
			seen[s] = true
		}
	}
	for _, kind := range []BodyKind{Office, Institution, Notary, Association, Foundation, Company, Trader, Cooperative, "?", ""} {
		for _, seq := range []int{0, -1, 9999, 10000, 209999, 210000} {
			if _, err := ParseUSCC(SyntheticUSCC(kind, seq).String()); err != nil {
				t.Error(kind, seq, err)
			}
		}
	}
	if _, err := ParseMobile(SyntheticMobile(10001).String()); err != nil {
		t.Error(err)
	}
	if _, err := ParseTitleNo(SyntheticTitleNo(2026, 1).String()); err != nil {
		t.Error(err)
	}
	if _, err := ParseProofNo(SyntheticProofNo(2026, 1).String()); err != nil {
		t.Error(err)
	}
	if _, err := ParseParcelCode(SyntheticParcelCode(0).String()); err != nil {
		t.Error(err)
	}
	n, err := ParseSupervisionNo(SyntheticSupervisionNo("310104", calendar.NewDate(2026, 11, 23), 1).String())
	if err != nil || !n.Simulated() || n.String() != "SIM310104202611230001" {
		t.Error(n, err)
	}
}

func TestJSON(t *testing.T) {
	t.Parallel()
	var x struct {
		ID    ResidentID `json:"id"`
		Body  USCC       `json:"body"`
		Share Share      `json:"share"`
	}
	if err := json.Unmarshal([]byte(`{"id":"11010519491231002x","body":"","share":"50%"}`), &x); err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(x)
	if err != nil || string(b) != `{"id":"11010519491231002X","body":"","share":"1/2"}` {
		t.Error(string(b), err)
	}
	if err := json.Unmarshal([]byte(`{"id":"1"}`), &x); errs.CodeOf(err) != "codes.resident_id" {
		t.Error(err)
	}
}

func FuzzParse(f *testing.F) {
	for _, cases := range good() {
		for _, c := range cases {
			f.Add(c[0])
		}
	}
	f.Add("沪规划资源建[2021]437号")
	f.Add("\xff　—")
	f.Fuzz(func(t *testing.T, s string) {
		if n := Normalise(s); Normalise(n) != n {
			t.Errorf("Normalise(%q) = %q is not stable: %q", s, n, Normalise(n))
		}
		for kind, parse := range kinds() {
			got, err := parse(s)
			if err != nil {
				if errs.CodeOf(err) != "codes."+kind {
					t.Errorf("%s %q: %v", kind, s, err)
				}
				continue
			}
			if again, err := parse(got); err != nil || again != got {
				t.Errorf("%s %q is stored as %q, read again as %q, %v", kind, s, got, again, err)
			}
		}
	})
}

func FuzzMask(f *testing.F) {
	for _, s := range []string{"张三", "欧阳修", "310199199001010019", "021-1", "a@b", "@", "北京西路99号", "\xff\xfe", "弄"} {
		f.Add(s)
	}
	f.Fuzz(func(_ *testing.T, s string) {
		for _, mask := range []func(string) string{MaskName, MaskID, MaskMobile, MaskCard, MaskEmail, MaskAddress, MaskAny} {
			_ = mask(s)
		}
	})
}
