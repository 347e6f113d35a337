package process

// oracle answers every choice of a step in turn, so that Check can try them all.
type oracle struct {
	path []int // answers, in order
	wide []int // how many answers each choice had
	at   int
}

// choose returns a number from 0 to n-1.
func (o *oracle) choose(n int) int {
	if o.at == len(o.path) {
		o.path = append(o.path, 0)
		o.wide = append(o.wide, n)
	}
	c := o.path[o.at]
	o.wide[o.at] = n
	o.at++
	return c
}

// next moves to the next sequence of answers; false if all were tried.
func (o *oracle) next() bool {
	o.path, o.wide = o.path[:o.at], o.wide[:o.at]
	for k := len(o.path) - 1; k >= 0; k-- {
		if o.path[k]+1 < o.wide[k] {
			o.path[k]++
			o.path, o.wide, o.at = o.path[:k+1], o.wide[:k+1], 0
			return true
		}
	}
	return false
}
