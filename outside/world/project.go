package world

import (
	"fmt"
	"strings"
)

// Project is a planning project with its 立项 approval.
type Project struct {
	Index    int
	Code     string // 2601-310199-04-01-000001
	No       string // the platform's own number 项目编号
	Name     string
	Kind     string // BUILDING LINEAR PIPELINE TEMP_LAND
	Supply   string // ALLOCATE 划拨 or GRANT 出让
	Builder  string // USCC of the 建设单位
	Address  string
	AreaM2   int64 // land
	FloorM2  int64 // building
	Parcel   string
	Ring     [][2]float64 // longitude, latitude, closed
	Approval Approval
	Contract LandContract // of a granted one
}

// Approval is the 立项 approval of the development and reform office.
type Approval struct {
	DocNo    string
	Name     string // 可行性研究报告批复
	Org      string
	Date     string
	Invest   int64 // 万元
	Verified bool  // the code is verified there
}

// LandContract is the land contract of the land system.
type LandContract struct {
	No            string
	SupervisionNo string // never of the shape of a real one
	Date          string
}

// Projects returns the number of planning projects.
func (w *World) Projects() int { return w.plans }

func projectCode(i int) string { return fmt.Sprintf("2601-%s-04-01-%06d", Area, i+1) }

// Project returns the project with a project code.
func (w *World) Project(code string) (Project, bool) {
	n, ok := number(strings.TrimPrefix(code, "2601-"+Area+"-04-01-"))
	if !ok || n < 1 || n > w.plans || projectCode(n-1) != code {
		return Project{}, false
	}
	return w.ProjectAt(n - 1), true
}

// ProjectByNo returns the project with the platform's own number.
func (w *World) ProjectByNo(no string) (Project, bool) {
	n, ok := between(no, "测项2026", "")
	if !ok || n < 1 || n > w.plans {
		return Project{}, false
	}
	p := w.ProjectAt(n - 1)
	return p, p.No == no
}

// ProjectAt returns the i-th project, 0 ≤ i < Projects. The first is the
// cast's: allocated land, a school.
func (w *World) ProjectAt(i int) Project {
	kinds := []string{"BUILDING", "BUILDING", "LINEAR", "PIPELINE", "BUILDING"}
	p := Project{
		Index: i, Code: projectCode(i), No: fmt.Sprintf("测项2026%06d", i+1), Kind: kinds[w.roll(kPlan, i, len(kinds))],
		Supply: "GRANT", Builder: w.Org(w.builder(i)).USCC, Address: fmt.Sprintf("测试大道%d号", i+1),
		AreaM2: 20000 + int64(w.roll(kPlan, i+MaxSize, 60000)), Parcel: fmt.Sprintf("%s002001GB%05d", Area, i%99999+1),
	}
	if i == 0 {
		p.Kind = "BUILDING"
	}
	if i == 0 || w.roll(kPlan, i+2*MaxSize, 2) == 0 {
		p.Supply = "ALLOCATE"
	}
	p.Name = map[string]string{"BUILDING": "测试学校新建工程", "LINEAR": "测试道路改建工程", "PIPELINE": "测试给水管线工程"}[p.Kind]
	if i > 0 {
		p.Name = fmt.Sprintf("%s（%d号）", p.Name, i+1)
	}
	p.FloorM2 = p.AreaM2 * int64(12+w.roll(kPlan, i+3*MaxSize, 13)) / 10
	x, y := 121.60+float64(i%100)*0.003, 30.95+float64(i/100%100)*0.003
	d := 0.0000105 * float64(isqrt(p.AreaM2))
	p.Ring = [][2]float64{{x, y}, {x + d, y}, {x + d, y + d}, {x, y + d}, {x, y}}
	p.Approval = Approval{
		DocNo: fmt.Sprintf("测发改投〔2026〕%d号", i+1), Name: p.Name + "可行性研究报告的批复", Org: "测试区发展和改革委员会",
		Date: iso(day(2026, w.roll(kPlan, i+4*MaxSize, 90))), Invest: 1000 + int64(w.roll(kPlan, i+5*MaxSize, 90000)),
		Verified: i == 0 || w.roll(kPlan, i+6*MaxSize, 20) != 0,
	}
	if p.Supply == "GRANT" {
		p.Contract = LandContract{No: fmt.Sprintf("测土合（2026）%d号", i+1), SupervisionNo: fmt.Sprintf("SIM%s20260301%04d", Area, i%10000),
			Date: "2026-03-01"}
	}
	return p
}

// builder returns the organisation that builds project i.
func (w *World) builder(i int) int {
	if i == 0 {
		return orgBuilder
	}
	return []int{orgBuilder, orgDeveloper, 26, 27, 30, 31}[w.roll(kPlan, i+7*MaxSize, 6)]
}

// ProjectsOf returns the projects an organisation builds, at most limit.
func (w *World) ProjectsOf(code string, limit int) []Project {
	var out []Project
	o, ok := w.OrgByUSCC(code)
	for i := 0; ok && i < w.plans && len(out) < limit; i++ {
		if w.builder(i) == o.Index {
			out = append(out, w.ProjectAt(i))
		}
	}
	return out
}

func isqrt(n int64) int64 {
	x := int64(1)
	for x*x < n {
		x++
	}
	return x
}

// Department is an office that can be asked for its opinion.
type Department struct {
	Code     string
	Name     string
	Level    string // 市 or 区
	District string // "" for the city
	Subject  string // what it answers for
}

// Departments returns the city's departments and those of a district (six
// digits and its name); an empty code gives the city's alone.
func (w *World) Departments(code, name string) []Department {
	subjects := []struct{ key, name, subject string }{
		{"ZJ", "住房城乡建设管理部门", "建设管理"}, {"JT", "交通管理部门", "道路交通"}, {"ST", "生态环境部门", "环境影响"},
		{"SW", "水务部门", "供排水和河道"}, {"LH", "绿化市容部门", "绿化和环卫"}, {"WW", "文物部门", "文物保护"},
		{"RF", "国防动员部门", "人防工程"}, {"XF", "消防救援部门", "消防安全"}, {"WJ", "卫生健康部门", "卫生防疫"},
		{"JY", "教育部门", "教育配套"}, {"FG", "发展改革部门", "项目立项"}, {"GA", "公安交警部门", "交通组织"},
	}
	var out []Department
	for _, s := range subjects {
		out = append(out, Department{Code: "SIM-310000-" + s.key, Name: "市" + s.name + "（模拟）", Level: "市", Subject: s.subject})
	}
	if code == "" {
		return out
	}
	for _, s := range subjects {
		out = append(out, Department{Code: "SIM-" + code + "-" + s.key, Name: name + s.name + "（模拟）", Level: "区", District: code, Subject: s.subject})
	}
	return out
}
