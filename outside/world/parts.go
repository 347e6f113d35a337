package world

import (
	"slices"
	"strings"
)

// Player is a person of the cast with the part they play.
type Player struct {
	Person
	Part string
}

// Players returns the persons of the cast who act for themselves, each with
// what they are there for.
func (w *World) Players() []Player {
	c := w.Cast()
	return []Player{
		{c.ZhangMing, "与李婷为夫妻，共同买了" + c.Presale.Address + "（预售合同 " + c.Presale.No + "）"},
		{c.LiTing, "张明的妻子，共同买受人，需要在线确认"},
		{c.ChenJing, "单独所有" + c.ChenJingUnit.Address + "，证书遗失，可以补证"},
		{c.WangQiang, "名下没有房屋，可以查询无房情况"},
		{c.ZhaoLei, "已与孙丽离婚，两人仍共同共有" + c.DivorcedUnit.Address},
		{c.SunLi, "赵磊的前妻"},
		{c.ZhouWei, c.SeizedUnit.Address + "已被法院查封"},
		{c.WuGang, "与郑红按份买房，合同上的份额加起来不是一（" + c.BadShares.No + "）"},
		{c.ZhengHong, "吴刚的妻子"},
		{c.FengTao, "合同 " + c.CancelledSale.No + " 已撤销"},
		{c.ChuYan, "合同 " + c.OutsidePermit.No + " 的房屋不在预售许可范围内"},
		{c.WeiDong, "与蒋梅共同共有" + c.MortgagedUnit.Address + "，已抵押"},
		{c.JiangMei, "卫东的妻子"},
		{c.ShenQiang, "与韩雪、未成年的沈小测按份共有" + c.FamilyUnit.Address},
		{c.HanXue, "沈强的妻子"},
		{c.HeJun, "与吕芳买了新建商品房，已交房（" + c.NewBuilt.No + "）"},
		{c.LvFang, "何军的妻子"},
	}
}

// Troupe is an organisation of the cast with the part it plays.
type Troupe struct {
	Org
	Part string
}

// Troupes returns the organisations of the cast, each with what it is there
// for. The first of its agents is the one the cast names.
func (w *World) Troupes() []Troupe {
	c := w.Cast()
	return []Troupe{
		{c.Developer, "开发企业，卖房给张明、李婷"},
		{c.Builder, "建设单位，为" + c.BuilderProject.Name + "（" + c.BuilderProject.Code + "）申请用地意见"},
		{c.Bank, "贷款给张明、李婷，预购商品房预告抵押权人"},
		{c.Notary, "公证处"},
		{c.Agency, "经纪机构，代办"},
		{c.Tech, "买房的企业"},
	}
}

// nearby is how far a search by name looks, from the first person or
// organisation on.
const nearby = 5000

// FindPersons returns living adults by index, identity number, mobile or a part
// of the name, at most limit; a name is looked for among the first few thousand.
func (w *World) FindPersons(q string, limit int) []Person {
	q = strings.TrimSpace(q)
	var out []Person
	add := func(p Person) {
		if p.Died == "" && len(out) < limit && !slices.ContainsFunc(out, func(o Person) bool { return o.Index == p.Index }) {
			out = append(out, p)
		}
	}
	if q == "" {
		return nil
	}
	if p, ok := w.PersonByID(q); ok {
		return []Person{p}
	}
	if i, ok := number(q); ok && i < w.n {
		add(w.Person(i))
	}
	for i := 0; i < min(w.n, nearby) && len(out) < limit; i++ {
		if p := w.Person(i); strings.Contains(p.Name, q) || p.Mobile == q {
			add(p)
		}
	}
	return out
}

// FindOrgs returns organisations by index, credit code or a part of the name,
// at most limit; a name is looked for among the first few thousand.
func (w *World) FindOrgs(q string, limit int) []Org {
	q = strings.TrimSpace(q)
	if q == "" {
		return nil
	}
	if o, ok := w.OrgByUSCC(q); ok {
		return []Org{o}
	}
	var out []Org
	if i, ok := number(q); ok && i < w.orgs {
		out = append(out, w.Org(i))
	}
	for i := 0; i < min(w.orgs, nearby) && len(out) < limit; i++ {
		if o := w.Org(i); strings.Contains(o.Name, q) {
			out = append(out, o)
		}
	}
	return out
}
