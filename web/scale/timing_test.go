package scale

import (
	"slices"
	"time"
)

// cost is what one answer took: until its last byte was here, and of the processors, in the server and in the
// database. The second hardly depends on what else the machine does.
type cost struct{ wall, cpu time.Duration }

// timing is one page in one installation: for each round the medians of the answers of two series, which are the
// same in everything and differ by what the machine does besides.
type timing struct{ first, again []cost }

func (t *timing) add(first, again []cost) {
	t.first, t.again = append(t.first, median(first)), append(t.again, median(again))
}

func (t timing) median() cost { return median(slices.Concat(t.first, t.again)) }

func median(list []cost) cost {
	middle := func(of func(cost) time.Duration) time.Duration {
		var all []time.Duration
		for _, c := range list {
			all = append(all, of(c))
		}
		slices.Sort(all)
		return all[len(all)/2]
	}
	return cost{middle(func(c cost) time.Duration { return c.wall }), middle(func(c cost) time.Duration { return c.cpu })}
}

// noise is by how much two equal series differ in nine rounds of ten at most, as a part of one.
func noise(pages ...timing) float64 {
	var apart []float64
	for _, t := range pages {
		for i := range t.first {
			r := ratio(t.first[i], t.again[i])
			apart = append(apart, max(r, 1/r)-1)
		}
	}
	slices.Sort(apart)
	return apart[len(apart)*9/10]
}

// ratio compares by the processors' time.
func ratio(a, b cost) float64 { return float64(a.cpu) / float64(b.cpu) }
