package main

import (
	"haoban/app"
	"haoban/outside/world"
	"haoban/platform/ident"
)

// seedWorld picks, out of the simulated world, who and what the first cases are
// about. The cast and what they own stay untouched: they are for those who try
// the demonstration out.
func seedWorld(w *world.World) app.SeedWorld {
	cast := map[string]bool{}
	for _, p := range w.Players() {
		cast[p.ID] = true
	}
	for _, o := range w.Troupes() {
		for _, p := range o.Agents {
			cast[p.ID] = true
		}
	}
	var out app.SeedWorld
	for i := range w.Size() {
		if p := w.Person(i); plays(p, cast) {
			out.People = append(out.People, person(p))
		}
	}
	for i := range w.Units() {
		u := w.UnitAt(i)
		if u.TitleNo == "" || len(u.Owners) != 1 || u.Owners[0].Org || u.Mortgage != nil || u.Seizure != nil {
			continue
		}
		if p, ok := w.PersonByID(u.Owners[0].ID); ok && plays(p, cast) {
			out.Homes = append(out.Homes, app.SeedHome{TitleNo: u.TitleNo, Owner: person(p)})
		}
	}
	for d := range w.Developments() {
		if w.Development(d).Stage == world.Presale {
			out.Sales = append(out.Sales, sales(w, d, cast)...)
		}
	}
	for i := 1; i < w.Projects(); i++ {
		p := w.ProjectAt(i)
		if p.Supply != "ALLOCATE" {
			continue
		}
		if f, ok := firm(w, p.Builder); ok {
			out.Projects = append(out.Projects, app.SeedProject{Code: p.Code, Builder: f})
		}
	}
	return out
}

// sales are the contracts of one development that can be registered.
func sales(w *world.World, dev int, cast map[string]bool) []app.SeedSale {
	var out []app.SeedSale
	for _, k := range w.ContractsSold(dev, 0, 1000) {
		permit, ok := w.Permit(k.Permit)
		u, known := w.Unit(k.Unit)
		if !ok || !known || !permit.Covers(u) || k.State != world.Valid || len(k.Seller) != 1 {
			continue
		}
		f, ok := firm(w, k.Seller[0].ID)
		if !ok {
			continue
		}
		sale := app.SeedSale{No: k.No, Seller: f}
		for _, b := range k.Buyers {
			p, found := w.PersonByID(b.ID)
			if !found || !plays(p, cast) {
				sale.Buyers = nil
				break
			}
			sale.Buyers = append(sale.Buyers, person(p))
		}
		if len(sale.Buyers) > 0 {
			out = append(out, sale)
		}
	}
	return out
}

// plays tells whether a person can take part: alive, grown up, not of the cast.
func plays(p world.Person, cast map[string]bool) bool {
	return !cast[p.ID] && p.Died == "" && p.Adult("2026-01-01")
}

func person(p world.Person) app.SeedPerson {
	return app.SeedPerson{Name: p.Name, ID: p.ID, Mobile: p.Mobile}
}

func firm(w *world.World, uscc string) (app.SeedFirm, bool) {
	o, ok := w.OrgByUSCC(uscc)
	if !ok || len(o.Agents) == 0 || o.State != "存续" {
		return app.SeedFirm{}, false
	}
	return app.SeedFirm{Name: o.Name, USCC: o.USCC, Kind: ident.OrgCompany, Agent: person(o.Agents[0])}, true
}
