package world

// Cast names those whom demonstrations and tests play with. They, their
// numbers and what they own are the same in every world.
type Cast struct {
	ZhangMing, LiTing Person   // 张明 and 李婷, married; their presale contract is Presale
	Presale           Contract // 测试路1弄8号802室
	PresaleLoan       Loan     // from 测试银行浦东支行
	ChenJing          Person   // 陈静, owner of ChenJingUnit, has lost the certificate
	ChenJingUnit      Unit
	WangQiang         Person // 王强, owns nothing
	ZhaoLei, SunLi    Person // 赵磊 and 孙丽, divorced, still joint owners of DivorcedUnit
	DivorcedUnit      Unit
	ZhouWei           Person // 周伟, whose SeizedUnit a court has seized
	SeizedUnit        Unit
	WuGang, ZhengHong Person   // 吴刚 and 郑红, a couple
	BadShares         Contract // theirs: 1/2 and 1/3
	FengTao           Person   // 冯涛
	CancelledSale     Contract // his, cancelled
	ChuYan            Person   // 褚燕
	OutsidePermit     Contract // hers, for a room that is not in the permit
	WeiDong, JiangMei Person   // 卫东 and 蒋梅, a couple
	MortgagedUnit     Unit     // theirs, mortgaged to 测试银行浦东支行
	ShenQiang, HanXue Person   // 沈强 and 韩雪, a couple
	ShenXiaoCe        Person   // 沈小测, their child, a minor
	FamilyUnit        Unit     // the three own a third each
	HeJun, LvFang     Person   // 何军 and 吕芳, a couple
	NewBuilt          Contract // theirs, handed over
	Developer         Org      // 测试置业有限公司
	DeveloperAgent    Person   // 钱进
	Builder           Org      // 测试建设集团有限公司
	BuilderAgent      Person   // 王建
	BuilderProject    Project  // allocated land, for the 规土意见书
	Bank              Org      // 测试银行浦东支行
	BankAgent         Person   // 尹行
	Notary            Org
	NotaryAgent       Person // 公正
	Agency            Org    // 测试安家房地产经纪有限公司
	AgencyAgent       Person // 安家
	Tech              Org    // 测试科技有限公司, buys as a company
	TechAgent         Person // 柯技
}

// Where the cast stands.
const (
	atZhangMing  = 23
	atLiTing     = 24
	atChenJing   = 15
	atWangQiang  = 25
	atZhaoLei    = 36
	atSunLi      = 37
	atZhouWei    = 45
	atWuGang     = 53
	atZhengHong  = 54
	atFengTao    = 65
	atChuYan     = 75
	atWeiDong    = 80
	atJiangMei   = 81
	atShenQiang  = 10
	atHanXue     = 11
	atShenXiaoCe = 12
	atQianJin    = 105
	atHeJun      = 110
	atLvFang     = 111
	atYinHang    = 125
	atGongZheng  = 135
	atWangJian   = 145
	atAnJia      = 155
	atKeJi       = 165
)

// castUnit is a unit, or a sale, that somebody of the cast has.
type castUnit struct {
	owning
	mortgaged, seized bool
	cancelled, loan   bool
}

type cast struct {
	names  map[int]string
	agents map[int][]int
	units  map[[2]int]castUnit // in stock developments
	sales  map[[2]int]castUnit
	owns   map[int][][2]int
	buys   map[int][][2]int
}

func newCast() cast {
	third := Share{1, 3}
	c := cast{
		names: map[int]string{
			atZhangMing: "张明", atLiTing: "李婷", atChenJing: "陈静", atWangQiang: "王强", atZhaoLei: "赵磊", atSunLi: "孙丽",
			atZhouWei: "周伟", atWuGang: "吴刚", atZhengHong: "郑红", atFengTao: "冯涛", atChuYan: "褚燕", atWeiDong: "卫东", atJiangMei: "蒋梅",
			atShenQiang: "沈强", atHanXue: "韩雪", atShenXiaoCe: "沈小测", atQianJin: "钱进", atHeJun: "何军", atLvFang: "吕芳",
			atYinHang: "尹行", atGongZheng: "公正", atWangJian: "王建", atAnJia: "安家", atKeJi: "柯技",
		},
		agents: map[int][]int{
			orgDeveloper: {atQianJin}, orgBranch: {atYinHang}, orgNotary: {atGongZheng}, orgBuilder: {atWangJian},
			orgAgency: {atAnJia}, orgTech: {atKeJi},
		},
		units: map[[2]int]castUnit{
			{1, unitAt(1, 1, 1)}: {owning: owning{who: []int{atChenJing}}},
			{1, unitAt(1, 1, 2)}: {owning: owning{who: []int{atZhaoLei, atSunLi}, manner: Joint}},
			{1, unitAt(1, 2, 1)}: {owning: owning{who: []int{atZhouWei}}, seized: true},
			{1, unitAt(1, 2, 2)}: {owning: owning{who: []int{atWeiDong, atJiangMei}, manner: Joint}, mortgaged: true},
			{1, unitAt(1, 3, 1)}: {owning: owning{who: []int{atShenQiang, atHanXue, atShenXiaoCe}, shares: []Share{third, third, third}, manner: Shares}},
		},
		sales: map[[2]int]castUnit{
			{0, unitAt(8, 8, 2)}:  {owning: owning{who: []int{atZhangMing, atLiTing}, manner: Joint}, loan: true},
			{0, unitAt(8, 8, 1)}:  {owning: owning{who: []int{atWuGang, atZhengHong}, shares: []Share{{1, 2}, {1, 3}}, manner: Shares}},
			{0, unitAt(8, 7, 1)}:  {owning: owning{who: []int{atFengTao}}, cancelled: true},
			{0, unitAt(10, 1, 1)}: {owning: owning{who: []int{atChuYan}}},
			{2, unitAt(1, 1, 1)}:  {owning: owning{who: []int{atHeJun, atLvFang}, manner: Joint}, loan: true},
		},
		owns: make(map[int][][2]int), buys: make(map[int][][2]int),
	}
	for at, u := range c.units {
		for _, p := range u.who {
			c.owns[p] = append(c.owns[p], at)
		}
	}
	for at, u := range c.sales {
		for _, p := range u.who {
			c.buys[p] = append(c.buys[p], at)
		}
	}
	return c
}

// Cast returns the cast.
func (w *World) Cast() Cast {
	stock := func(b, f, r int) Unit { return w.unit(1, unitAt(b, f, r)) }
	sale := func(p, b, f, r int) Contract {
		c, _ := w.contract(p, unitAt(b, f, r))
		return c
	}
	loan, _ := w.loan(0, unitAt(8, 8, 2))
	return Cast{
		ZhangMing: w.Person(atZhangMing), LiTing: w.Person(atLiTing), Presale: sale(0, 8, 8, 2), PresaleLoan: loan,
		ChenJing: w.Person(atChenJing), ChenJingUnit: stock(1, 1, 1), WangQiang: w.Person(atWangQiang),
		ZhaoLei: w.Person(atZhaoLei), SunLi: w.Person(atSunLi), DivorcedUnit: stock(1, 1, 2),
		ZhouWei: w.Person(atZhouWei), SeizedUnit: stock(1, 2, 1),
		WuGang: w.Person(atWuGang), ZhengHong: w.Person(atZhengHong), BadShares: sale(0, 8, 8, 1),
		FengTao: w.Person(atFengTao), CancelledSale: sale(0, 8, 7, 1), ChuYan: w.Person(atChuYan), OutsidePermit: sale(0, 10, 1, 1),
		WeiDong: w.Person(atWeiDong), JiangMei: w.Person(atJiangMei), MortgagedUnit: stock(1, 2, 2),
		ShenQiang: w.Person(atShenQiang), HanXue: w.Person(atHanXue), ShenXiaoCe: w.Person(atShenXiaoCe), FamilyUnit: stock(1, 3, 1),
		HeJun: w.Person(atHeJun), LvFang: w.Person(atLvFang), NewBuilt: sale(2, 1, 1, 1),
		Developer: w.Org(orgDeveloper), DeveloperAgent: w.Person(atQianJin),
		Builder: w.Org(orgBuilder), BuilderAgent: w.Person(atWangJian), BuilderProject: w.ProjectAt(0),
		Bank: w.Org(orgBranch), BankAgent: w.Person(atYinHang), Notary: w.Org(orgNotary), NotaryAgent: w.Person(atGongZheng),
		Agency: w.Org(orgAgency), AgencyAgent: w.Person(atAnJia), Tech: w.Org(orgTech), TechAgent: w.Person(atKeJi),
	}
}
