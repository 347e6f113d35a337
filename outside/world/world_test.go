package world_test

import (
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"haoban/outside/world"
	"haoban/platform/codes"
)

const today = "2026-11-23"

func sizes() []int { return []int{1000, 10_000, 1_000_000} }

// every calls f for about count of n indexes, spread over all.
func every(n, count int, f func(i int)) {
	step := max(1, n/count)
	for i := 0; i < n; i += step {
		f(i)
	}
	f(n - 1)
}

func TestPersonsAgree(t *testing.T) {
	t.Parallel()
	for _, n := range sizes() {
		w := world.New(1, n)
		seen := make(map[string]int)
		every(n, 5000, func(i int) {
			p := w.Person(i)
			id, err := codes.ParseResidentID(p.ID)
			if err != nil {
				t.Fatalf("person %d: %s: %v", i, p.ID, err)
			}
			if p.Born != id.Birth().String() || (id.Sex() == "男") != p.Male {
				t.Errorf("person %d: born %s male %v, number says %s %s", i, p.Born, p.Male, id.Birth(), id.Sex())
			}
			if _, err := codes.ParseMobile(p.Mobile); err != nil || !strings.HasPrefix(p.Mobile, "1990000") {
				t.Errorf("mobile %s: %v", p.Mobile, err)
			}
			if j, dup := seen[p.ID]; dup && j != i {
				t.Errorf("%d and %d have one number", i, j)
			}
			seen[p.ID] = i
			if back, ok := w.PersonByID(p.ID); !ok || back.Index != i {
				t.Errorf("number of %d leads to %d, %v", i, back.Index, ok)
			}
			if p.Born > today {
				t.Errorf("person %d is born %s", i, p.Born)
			}
			m := w.MarriageOf(i)
			if m.State == world.Married || m.State == world.Divorced {
				a, b := w.Person(m.A), w.Person(m.B)
				if !a.Male || b.Male {
					t.Errorf("marriage of %d: sexes", i)
				}
				if d := cmp.Diff(w.Marriage(a.ID, b.ID), w.Marriage(b.ID, a.ID)); d != "" || w.Marriage(a.ID, b.ID) != m {
					t.Errorf("marriage of %d does not agree both ways: %s", i, d)
				}
				if !b.Adult(m.Date) || m.Date > today || (m.Ended != "" && (m.Ended < m.Date || m.Ended > today)) {
					t.Errorf("marriage of %d on %s, ended %q, bride born %s", i, m.Date, m.Ended, b.Born)
				}
			}
			for _, o := range w.Household(i) {
				if o.Address != p.Address {
					t.Errorf("household of %d at two addresses", i)
				}
				if r := w.Relation(i, o.Index); r != "" && w.Relation(o.Index, i) == "" {
					t.Errorf("%d is %s of %d but not the other way", o.Index, r, i)
				}
			}
			for _, g := range w.Guardians(i, today) {
				if r := w.Relation(i, g.Index); (r != "父" && r != "母") || !g.Adult(p.Born) {
					t.Errorf("guardian %d of %d is %q", g.Index, i, r)
				}
			}
		})
	}
}

func TestStrangers(t *testing.T) {
	t.Parallel()
	w := world.New(1, 1000)
	a, b := w.Person(300), w.Person(311)
	if m := w.Marriage(a.ID, b.ID); m.State != world.Single {
		t.Errorf("strangers: %v", m)
	}
	if m := w.Marriage(a.ID, a.ID); m.State != world.Single {
		t.Errorf("with oneself: %v", m)
	}
	for _, id := range []string{"", "31019919900101001", "310101199001010012", "310199199001010000", world.New(1, 100_000).Person(99_999).ID} {
		if p, ok := w.PersonByID(id); ok {
			t.Errorf("%q is %d", id, p.Index)
		}
	}
}

func TestOrgsAgree(t *testing.T) {
	t.Parallel()
	for _, n := range sizes() {
		w := world.New(1, n)
		every(w.Orgs(), 500, func(i int) {
			o := w.Org(i)
			if _, err := codes.ParseUSCC(o.USCC); err != nil {
				t.Fatalf("org %d: %s: %v", i, o.USCC, err)
			}
			if back, ok := w.Company(o.USCC); !ok || back.Index != i {
				t.Errorf("code of %d leads to %d", i, back.Index)
			}
			if !o.LegalRep.Adult(today) || o.LegalRep.Died != "" {
				t.Errorf("org %d: legal representative %+v", i, o.LegalRep)
			}
			for k, p := range append(o.Agents, o.LegalRep) {
				found := false
				for _, pos := range w.Positions(p.ID) {
					found = found || (pos.Org.USCC == o.USCC && (pos.Role == "LEGAL") == (k == len(o.Agents)))
				}
				if !found {
					t.Errorf("org %d: %d does not know of it", i, p.Index)
				}
			}
		})
		for _, bank := range w.Banks() {
			if len(w.Branches(bank.USCC)) == 0 {
				t.Errorf("%s has no branch", bank.Name)
			}
		}
	}
}

func TestEstateAgrees(t *testing.T) {
	t.Parallel()
	for _, n := range sizes() {
		w := world.New(1, n)
		owned, contracts, loans, mortgages, seizures, netsigned := 0, 0, 0, 0, 0, 0
		every(w.Units(), 20_000, func(i int) {
			u := w.UnitAt(i)
			if _, err := codes.ParseUnitCode(u.Code); err != nil {
				t.Fatalf("unit %d: %s: %v", i, u.Code, err)
			}
			if back, ok := w.Unit(u.Code); !ok || back.Address != u.Address {
				t.Errorf("code of %d leads to %+v", i, back)
			}
			dev := w.Development(u.Dev)
			if _, ok := w.Parcel(dev.Parcel); !ok || !strings.HasPrefix(u.Code, dev.Parcel) {
				t.Errorf("unit %d is not on its parcel", i)
			}
			switch dev.Stage {
			case world.Presale:
				if p, ok := w.Permit(dev.Permit); !ok || p.Developer != dev.Developer || (u.Dev > 0 && !p.Covers(u)) || len(u.Owners) != 0 {
					t.Errorf("unit %d: permit %+v", i, p)
				}
			case world.NewBuilt:
				if m, ok := w.MotherTitle(u.TitleNo); !ok || m.Index != u.Dev || u.Owners[0].ID != dev.Developer {
					t.Errorf("unit %d: mother title %q", i, u.TitleNo)
				}
			case world.Stock:
				owned++
				if _, err := codes.ParseTitleNo(u.TitleNo); err != nil || !strings.HasPrefix(u.TitleNo, "测") {
					t.Fatalf("title %s: %v", u.TitleNo, err)
				}
				if back, ok := w.Title(u.TitleNo); !ok || back.Code != u.Code {
					t.Errorf("title of %d leads to %+v", i, back)
				}
				holdersAgree(t, w, u.Owners, u.Manner, "unit "+u.Code)
				for _, h := range u.Owners {
					found := false
					for _, v := range w.UnitsOf(h.ID) {
						found = found || v.Code == u.Code
					}
					if !found {
						t.Errorf("unit %d: owner %s does not know of it", i, h.ID)
					}
				}
				if u.Mortgage != nil {
					mortgages++
					if _, err := codes.ParseProofNo(u.Mortgage.Proof); err != nil {
						t.Errorf("proof %s: %v", u.Mortgage.Proof, err)
					}
					if b, ok := w.Company(u.Mortgage.ByID); !ok || b.Kind != world.Branch {
						t.Errorf("unit %d is mortgaged to %+v", i, b)
					}
				}
				if u.Seizure != nil {
					seizures++
				}
			}
			c, ok := w.ContractOf(u.Code)
			if !ok {
				return
			}
			contracts++
			if back, ok := w.Contract(c.No); !ok || back.Unit != u.Code {
				t.Errorf("contract %s leads to %+v", c.No, back)
			}
			if u.Dev > 0 || u.Building < 8 { // the cast's faults are meant
				holdersAgree(t, w, c.Buyers, c.Manner, "contract "+c.No)
			}
			if dev.Stage == world.Stock {
				netsigned++
				if cmp.Diff(c.Seller, u.Owners) != "" {
					t.Errorf("contract %s is not sold by the owners", c.No)
				}
			} else {
				if c.Seller[0].ID != dev.Developer {
					t.Errorf("contract %s is not sold by the developer", c.No)
				}
				for _, h := range c.Buyers {
					found := false
					for _, v := range w.ContractsOf(h.ID) {
						found = found || v.No == c.No
					}
					if !found {
						t.Errorf("contract %s: buyer %s does not know of it", c.No, h.ID)
					}
				}
			}
			if l, ok := w.LoanOf(c.No); ok {
				loans++
				if back, ok := w.Loan(l.MortgageNo); !ok || back.No != l.No || l.Amount >= c.Price || c.State != world.Valid {
					t.Errorf("loan %+v for %+v", l, c)
				}
				if b, ok := w.Company(l.Bank); !ok || b.Kind != world.Branch {
					t.Errorf("loan of %+v", b)
				}
			}
		})
		t.Logf("%d persons: %d owned, %d mortgaged, %d seized, %d contracts (%d net-signed), %d loans", n, owned, mortgages, seizures, contracts, netsigned, loans)
		for what, k := range map[string]int{"owned": owned, "contracts": contracts, "loans": loans, "mortgages": mortgages, "seizures": seizures, "net-signed": netsigned} {
			if k == 0 {
				t.Errorf("%d persons: no %s", n, what)
			}
		}
	}
}

// holdersAgree: holders exist by the names told; joint ones are or were
// married; shares make one.
func holdersAgree(t *testing.T, w *world.World, hs []world.Holder, m world.Manner, what string) {
	t.Helper()
	num, den := 0, 1
	for _, h := range hs {
		name := ""
		if o, ok := w.Company(h.ID); h.Org && ok {
			name = o.Name
		} else if p, ok := w.PersonByID(h.ID); !h.Org && ok {
			name = p.Name
		}
		if name != h.Name || name == "" {
			t.Errorf("%s: %s is %q, not %q", what, h.ID, name, h.Name)
		}
		num, den = num*h.Share.Den+h.Share.Num*den, den*h.Share.Den
	}
	switch m {
	case world.Sole:
		if len(hs) != 1 {
			t.Errorf("%s: one of %d holders", what, len(hs))
		}
	case world.Joint:
		if len(hs) != 2 || w.Marriage(hs[0].ID, hs[1].ID).State == world.Single {
			t.Errorf("%s: joint holders who never were a couple", what)
		}
	case world.Shares:
		if num != den {
			t.Errorf("%s: shares make %d/%d", what, num, den)
		}
	}
}

func TestProjectsAgree(t *testing.T) {
	t.Parallel()
	w := world.New(1, 100_000)
	every(w.Projects(), 500, func(i int) {
		p := w.ProjectAt(i)
		if _, err := codes.ParseProjectCode(p.Code); err != nil {
			t.Fatalf("project %d: %s: %v", i, p.Code, err)
		}
		if back, ok := w.Project(p.Code); !ok || back.Index != i {
			t.Errorf("code of %d leads to %d", i, back.Index)
		}
		if back, ok := w.ProjectByNo(p.No); !ok || back.Index != i {
			t.Errorf("number of %d leads to %d", i, back.Index)
		}
		if _, ok := w.Company(p.Builder); !ok {
			t.Errorf("project %d has no builder", i)
		}
		if (p.Supply == "GRANT") != (p.Contract.No != "") || (p.Contract.SupervisionNo != "" && !strings.HasPrefix(p.Contract.SupervisionNo, "SIM")) {
			t.Errorf("project %d: %s %+v", i, p.Supply, p.Contract)
		}
		if len(p.Ring) != 5 || p.Ring[0] != p.Ring[4] {
			t.Errorf("project %d: ring %v", i, p.Ring)
		}
	})
	if d := w.Departments("310115", "浦东新区"); len(d) < 20 || d[0].Level != "市" || d[len(d)-1].District != "310115" {
		t.Errorf("departments %+v", d)
	}
}

func TestCast(t *testing.T) {
	t.Parallel()
	for _, seed := range []uint64{1, 77} {
		for _, n := range []int{1000, 200_000} {
			castAgrees(t, world.New(seed, n))
		}
	}
	a, b := world.New(1, 1000).Cast(), world.New(77, 1_000_000).Cast()
	if a.ZhangMing.ID != b.ZhangMing.ID || a.Presale.No != b.Presale.No || a.ChenJingUnit.TitleNo != b.ChenJingUnit.TitleNo ||
		a.Developer.USCC != b.Developer.USCC || a.BuilderProject.Code != b.BuilderProject.Code {
		t.Error("the cast's numbers depend on seed or size")
	}
}

func castAgrees(t *testing.T, w *world.World) {
	t.Helper()
	c := w.Cast()
	check := func(ok bool, what string) {
		t.Helper()
		if !ok {
			t.Errorf("cast: %s", what)
		}
	}
	names := func(hs []world.Holder) string {
		var s []string
		for _, h := range hs {
			s = append(s, h.Name)
		}
		return strings.Join(s, " ")
	}
	check(c.ZhangMing.Name == "张明" && c.LiTing.Name == "李婷" && w.Marriage(c.ZhangMing.ID, c.LiTing.ID).State == world.Married, "张明 and 李婷 are married")
	check(c.Presale.Address == "测试路1弄8号802室" && c.Presale.State == world.Valid && names(c.Presale.Buyers) == "张明 李婷" && names(c.Presale.Seller) == "测试置业有限公司", "their contract")
	u, ok := w.Unit(c.Presale.Unit)
	permit, ok2 := w.Permit(c.Presale.Permit)
	check(ok && ok2 && permit.Covers(u), "their room is in the permit")
	check(c.PresaleLoan.BankName == "测试银行浦东支行" && names(c.PresaleLoan.Borrowers) == "张明 李婷", "their loan")
	check(len(w.ContractsOf(c.ZhangMing.ID)) == 1 && len(w.UnitsOf(c.ZhangMing.ID)) == 0, "张明 has one contract and no unit")
	check(names(c.ChenJingUnit.Owners) == "陈静" && len(w.UnitsOf(c.ChenJing.ID)) == 1 && c.ChenJingUnit.Seizure == nil && c.ChenJingUnit.Mortgage == nil, "陈静 owns one unit")
	check(c.WangQiang.Name == "王强" && len(w.UnitsOf(c.WangQiang.ID)) == 0 && len(w.ContractsOf(c.WangQiang.ID)) == 0, "王强 has nothing")
	check(w.Marriage(c.ZhaoLei.ID, c.SunLi.ID).State == world.Divorced && names(c.DivorcedUnit.Owners) == "赵磊 孙丽", "赵磊 and 孙丽")
	check(names(c.SeizedUnit.Owners) == "周伟" && c.SeizedUnit.Seizure != nil, "周伟")
	check(names(c.BadShares.Buyers) == "吴刚 郑红" && c.BadShares.Buyers[0].Share != c.BadShares.Buyers[1].Share && c.BadShares.State == world.Valid, "吴刚 and 郑红")
	check(names(c.CancelledSale.Buyers) == "冯涛" && c.CancelledSale.State == world.Cancelled, "冯涛")
	u, _ = w.Unit(c.OutsidePermit.Unit)
	check(names(c.OutsidePermit.Buyers) == "褚燕" && !permit.Covers(u) && c.OutsidePermit.State == world.Valid, "褚燕")
	check(c.MortgagedUnit.Mortgage != nil && c.MortgagedUnit.Mortgage.By == "测试银行浦东支行", "卫东 and 蒋梅")
	check(len(w.Guardians(c.ShenXiaoCe.Index, today)) == 2 && len(c.FamilyUnit.Owners) == 3, "沈小测 is a minor with two guardians, born "+c.ShenXiaoCe.Born)
	check(c.NewBuilt.Handover != "" && names(c.NewBuilt.Buyers) == "何军 吕芳", "何军 and 吕芳")
	check(c.BuilderProject.Supply == "ALLOCATE" && c.BuilderProject.Builder == c.Builder.USCC && c.Builder.Name == "测试建设集团有限公司" && c.BuilderProject.Approval.Verified, "测试建设集团")
	for _, a := range []struct {
		o world.Org
		p world.Person
	}{{c.Developer, c.DeveloperAgent}, {c.Builder, c.BuilderAgent}, {c.Bank, c.BankAgent}, {c.Notary, c.NotaryAgent}, {c.Agency, c.AgencyAgent}, {c.Tech, c.TechAgent}} {
		pos := w.Positions(a.p.ID)
		check(len(pos) == 1 && pos[0].Org.USCC == a.o.USCC && pos[0].Role == "AGENT" && a.p.Adult(today), a.p.Name+" acts for "+a.o.Name)
	}
}

func TestSuccession(t *testing.T) {
	t.Parallel()
	w := world.New(1, 10_000)
	n := 0
	for i := 8; i < w.Size(); i += 10 {
		c, ok := w.SuccessionOf(i)
		if !ok {
			continue
		}
		n++
		if back, ok := w.Succession(c.No); !ok || back.Decedent.ID != c.Decedent.ID || c.Decedent.Died == "" {
			t.Errorf("succession %s: %+v", c.No, back)
		}
		if r := w.Relation(i, i+1); r != "子" && r != "女" {
			t.Errorf("heir is %q", r)
		}
	}
	if n == 0 {
		t.Error("nobody inherits")
	}
}

func TestSeeds(t *testing.T) {
	t.Parallel()
	a, b, c := world.New(1, 10_000), world.New(1, 10_000), world.New(2, 10_000)
	same, differ := true, false
	for i := range 2000 {
		same = same && cmp.Equal(a.UnitAt(i), b.UnitAt(i))
		differ = differ || !cmp.Equal(a.UnitAt(i), c.UnitAt(i))
	}
	if !same || !differ {
		t.Errorf("one seed one world: %v; two seeds two: %v", same, differ)
	}
	if a.Pick("x", 1000) != b.Pick("x", 1000) || a.Pick("x", 1) != 0 {
		t.Error("pick")
	}
}

// A million people take no room.
func TestMillionIsSmall(t *testing.T) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	w := world.New(1, 1_000_000)
	for i := range 10_000 {
		_ = w.Person(i * 97)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 1<<20 {
		t.Errorf("a world of a million holds %d bytes", grown)
	}
	runtime.KeepAlive(w)
}

func BenchmarkWorld(b *testing.B) {
	w := world.New(1, 1_000_000)
	id := w.Person(543_215).ID
	b.Run("New", func(b *testing.B) {
		for b.Loop() {
			_ = world.New(1, 1_000_000)
		}
	})
	b.Run("PersonByID", func(b *testing.B) {
		for b.Loop() {
			_, _ = w.PersonByID(id)
		}
	})
	b.Run("UnitsOf", func(b *testing.B) {
		for b.Loop() {
			_ = w.UnitsOf(id)
		}
	})
}
