package layout

import "slices"

// tableFlow is what rows of one table share: the head repeated on every page.
type tableFlow struct{ head []slab }

// cell is one td or th, set.
type cell struct {
	n          *node
	row, col   int
	rows, cols int
	slabs      []slab
	top        bool
	width      float64
}

func (c *cell) height() float64 { return stack(c.slabs).h + 2*cellPad }

// row is one or more tr held together by rowspan.
type row struct {
	cells []*cell
	xs    []float64 // left edges of the columns, and the right edge of the last
	first int       // number of its first tr
	n     int
	lines bool
}

// grid is a table taken apart: which cell stands in which row and column.
type grid struct {
	cells  []*cell
	rows   []*node
	heads  int // rows of thead
	cols   int
	widths []float64
}

func (b *builder) table(n *node, f flow) ([]slab, error) {
	g, err := b.grid(n, f)
	if err != nil {
		return nil, err
	}
	if len(g.rows) == 0 {
		return nil, fault(n, "has no rows")
	}
	if err := b.columns(n, g, f); err != nil {
		return nil, err
	}
	xs := []float64{0}
	for _, w := range g.widths {
		xs = append(xs, xs[len(xs)-1]+w)
	}
	for _, c := range g.cells {
		c.width = xs[c.col+c.cols] - xs[c.col]
		if c.slabs, err = b.cellSlabs(c, f, c.width-2*cellPad); err != nil {
			return nil, err
		}
	}
	t := &tableFlow{}
	var out []slab
	for first := 0; first < len(g.rows); {
		r := &row{xs: xs, first: first, n: 1, lines: !n.has("noborder")}
		for grown := true; grown; { // rowspan ties rows together
			grown = false
			for _, c := range g.cells {
				if end := c.row + c.rows - first; c.row >= first && c.row < first+r.n && end > r.n {
					r.n, grown = end, true
				}
			}
		}
		for _, c := range g.cells {
			if c.row >= first && c.row < first+r.n {
				r.cells = append(r.cells, c)
			}
		}
		s := r.draw()
		s.table, s.row, s.line = t, r, g.rows[first].line
		if first+r.n <= g.heads {
			s.keepNext = true
			t.head = append(t.head, s)
		}
		out = append(out, s)
		first += r.n
	}
	if len(t.head) == len(out) {
		t.head = nil
	}
	out[0].before = 1.5
	return append(out, slab{h: 1.5, line: n.line}), nil
}

// grid walks the rows, giving every cell its place.
func (b *builder) grid(n *node, f flow) (*grid, error) {
	g := &grid{}
	taken := map[[2]int]bool{}
	var walk func(n *node, head bool) error
	walk = func(n *node, head bool) error {
		for _, k := range n.kids {
			switch k.tag {
			case "thead":
				if len(g.rows) > 0 {
					return fault(k, "stands below rows")
				}
				if err := walk(k, true); err != nil {
					return err
				}
				g.heads = len(g.rows)
			case "tbody":
				if err := walk(k, false); err != nil {
					return err
				}
			case "tr":
				if err := g.add(k, taken); err != nil {
					return err
				}
			}
		}
		return nil
	}
	if err := walk(n, false); err != nil {
		return nil, err
	}
	for _, c := range g.cells {
		g.cols = max(g.cols, c.col+c.cols)
		if c.row+c.rows > len(g.rows) || c.row < g.heads && c.row+c.rows > g.heads {
			return nil, fault(c.n, "rowspan runs over the end")
		}
	}
	for i, tr := range g.rows {
		for c := range g.cols {
			if !taken[[2]int{i, c}] {
				return nil, fault(tr, "has fewer columns than the table (%d)", g.cols)
			}
		}
	}
	return g, nil
}

func (g *grid) add(tr *node, taken map[[2]int]bool) error {
	i, col := len(g.rows), 0
	g.rows = append(g.rows, tr)
	for _, td := range tr.kids {
		if td.tag == "" {
			continue
		}
		for taken[[2]int{i, col}] {
			col++
		}
		rows, err := span(td, "rowspan")
		if err != nil {
			return err
		}
		cols, err := span(td, "colspan")
		if err != nil {
			return err
		}
		for y := i; y < i+rows; y++ {
			for x := col; x < col+cols; x++ {
				if taken[[2]int{y, x}] {
					return fault(td, "overlaps another cell")
				}
				taken[[2]int{y, x}] = true
			}
		}
		g.cells = append(g.cells, &cell{n: td, row: i, col: col, rows: rows, cols: cols, top: td.has("top")})
		col += cols
	}
	return nil
}

func (b *builder) cellSlabs(c *cell, f flow, width float64) ([]slab, error) {
	f.st.size, f.st.leading, f.width = 10.5*pt, 1.35, width
	f.how = left
	if c.n.tag == "th" {
		f.st.bold, f.how = true, center
	}
	f.st, f.how = styled(c.n, f.st), aligned(c.n, f.how)
	return b.blocks(c.n, f)
}

// columns gives every column its width: what col, td or th say, the rest by
// what the cells hold.
func (b *builder) columns(n *node, g *grid, f flow) error {
	g.widths = make([]float64, g.cols)
	for _, k := range n.kids {
		if k.tag != "colgroup" {
			continue
		}
		i := 0
		for _, c := range k.kids {
			if c.tag != "col" {
				continue
			}
			if i >= g.cols {
				return fault(c, "more columns than the table has (%d)", g.cols)
			}
			w, err := length(c, "width", f.width)
			if err != nil {
				return err
			}
			g.widths[i] = w
			i++
		}
	}
	least, most := make([]float64, g.cols), make([]float64, g.cols)
	for _, c := range g.cells {
		w, err := length(c.n, "width", f.width)
		if err != nil {
			return err
		}
		if c.cols > 1 {
			continue
		}
		if w > 0 && g.widths[c.col] == 0 {
			g.widths[c.col] = w
		}
		lo, hi, err := b.demand(c, f)
		if err != nil {
			return err
		}
		least[c.col], most[c.col] = max(least[c.col], lo), max(most[c.col], hi)
	}
	free, open := f.width, []int(nil)
	sumLeast, sumMost := 0.0, 0.0
	for i, w := range g.widths {
		free -= w
		if w == 0 {
			open = append(open, i)
			least[i] = max(least[i], 6)
			most[i] = max(most[i], least[i])
			sumLeast, sumMost = sumLeast+least[i], sumMost+most[i]
		}
	}
	switch {
	case free < -0.1 || len(open) > 0 && free < 3*float64(len(open)):
		return fault(n, "the widths of its columns exceed the page (%.0f mm)", f.width)
	case len(open) == 0 && free > 0: // stretch to the full width
		for i := range g.widths {
			g.widths[i] *= f.width / (f.width - free)
		}
	case sumMost <= free:
		for _, i := range open {
			g.widths[i] = most[i] + (free-sumMost)*most[i]/sumMost
		}
	case sumLeast <= free && sumMost > sumLeast:
		for _, i := range open {
			g.widths[i] = least[i] + (free-sumLeast)*(most[i]-least[i])/(sumMost-sumLeast)
		}
	default:
		for _, i := range open {
			g.widths[i] = free * least[i] / sumLeast
		}
	}
	return nil
}

// demand returns how wide a cell must be not to break a word, and how wide to
// need no break at all.
func (b *builder) demand(c *cell, f flow) (lo, hi float64, err error) {
	wide, err := b.cellSlabs(c, f, 10_000)
	if err != nil {
		return 0, 0, err
	}
	extent := func(ss []slab) (w float64) {
		for _, s := range ss {
			x0, x1 := 1e9, 0.0
			for _, it := range s.items {
				switch it := it.(type) {
				case Text:
					sum := 0.0
					for _, a := range it.Advances {
						sum += a
					}
					x0, x1 = min(x0, it.X), max(x1, it.X+sum)
				case Picture:
					x0, x1 = min(x0, it.X), max(x1, it.X+min(it.W, f.width/2))
				case Line:
					if it.X2-it.X1 < 9000 {
						x0, x1 = min(x0, it.X1), max(x1, it.X2)
					}
				}
			}
			w = max(w, x1-min(x0, x1))
		}
		return w + 2*cellPad + 0.2
	}
	hi = extent(wide)
	if hi < 20 {
		return hi, hi, nil
	}
	narrow, err := b.cellSlabs(c, f, 12)
	if err != nil {
		return 0, 0, err
	}
	return min(max(extent(narrow), 12), 60), hi, nil
}

// draw sets the cells of a row (or of rows tied by rowspan) into one slab.
func (r *row) draw() slab {
	heights := make([]float64, r.n)
	for i := range heights {
		heights[i] = 5
	}
	byspan := slices.Clone(r.cells)
	slices.SortStableFunc(byspan, func(a, b *cell) int { return a.rows - b.rows })
	for _, c := range byspan {
		have, at := 0.0, c.row-r.first
		for _, h := range heights[at : at+c.rows] {
			have += h
		}
		if need := c.height() - have; need > 0 {
			heights[at+c.rows-1] += need
		}
	}
	ys := []float64{0}
	for _, h := range heights {
		ys = append(ys, ys[len(ys)-1]+h)
	}
	out := slab{h: ys[r.n]}
	for _, c := range r.cells {
		at := c.row - r.first
		x, y, h := r.xs[c.col], ys[at], ys[at+c.rows]-ys[at]
		box := Rect{X: x, Y: y, W: c.width, H: h}
		if c.n.has("label") {
			box.Fill = &shade
		}
		if r.lines {
			box.Stroke = 0.2
		}
		if box.Fill != nil || box.Stroke > 0 {
			out.items = append(out.items, box)
		}
		inner := stack(c.slabs)
		dy := cellPad
		if !c.top {
			dy = (h - inner.h) / 2
		}
		m := inner.shifted(x+cellPad, y+dy)
		out.items, out.fields = append(out.items, m.items...), append(out.fields, m.fields...)
	}
	return out
}

// cut splits a row that no page holds: what fits into room, and the rest. It
// returns false when nothing fits or rows are tied together.
func (r *row) cut(room float64) (head, rest *row, ok bool) {
	if r.n > 1 {
		return nil, nil, false
	}
	h, t := *r, *r
	h.cells, t.cells = nil, nil
	for _, c := range r.cells {
		a, z := *c, *c
		a.top, z.top = true, true
		fit := len(c.slabs)
		for ; fit > 0; fit-- {
			if a.slabs = c.slabs[:fit]; a.height() <= room {
				break
			}
		}
		a.slabs, z.slabs = c.slabs[:fit], slices.Clone(c.slabs[fit:])
		if len(z.slabs) > 0 {
			z.slabs[0].before = 0
		}
		ok = ok || fit > 0 && len(c.slabs) > 0
		h.cells, t.cells = append(h.cells, &a), append(t.cells, &z)
	}
	return &h, &t, ok
}
