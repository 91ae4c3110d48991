package access

import (
	"crypto/sha256"
	"encoding/binary"
	"math/rand/v2"
	"reflect"
	"sync"
	"testing"
)

func always() bool { return true }

func keyNo(n int) [32]byte { return sha256.Sum256(binary.BigEndian.AppendUint64(nil, uint64(n))) }

// What was put in is found, with its last value, whatever was put in between, until there is no room; then there are as many as there may be, and none of
// them is another one's.
func TestSlabKeepsWhatItIsGiven(t *testing.T) {
	const most = 64 * 50
	s, last := newSlab[int64](most), map[int]int64{}
	draw := rand.New(rand.NewPCG(1, 2))
	for i := range 200_000 {
		n := draw.IntN(3 * most)
		key := keyNo(n)
		if draw.IntN(2) == 0 {
			value := int64(i)
			s.put(&key, &value, always)
			last[n] = value
			continue
		}
		var got int64
		if s.get(&key, &got) && got != last[n] {
			t.Fatalf("%d is %d, and was put as %d", n, got, last[n])
		}
	}
	if s.size() != most {
		t.Errorf("it keeps %d of at most %d", s.size(), most)
	}
	s.clear()
	var got int64
	for n := range 3 * most {
		if key := keyNo(n); s.get(&key, &got) {
			t.Fatalf("%d is there after all was forgotten", n)
		}
	}
}

// While there is room nothing is lost.
func TestSlabLosesNothingWhileThereIsRoom(t *testing.T) {
	s := newSlab[int64](1 << 20)
	for n := range 50_000 {
		key, value := keyNo(n), int64(n)
		s.put(&key, &value, always)
	}
	for n := range 50_000 {
		var got int64
		if key := keyNo(n); !s.get(&key, &got) || got != int64(n) {
			t.Fatalf("%d is %d", n, got)
		}
	}
}

// Looking at ever new things, once each, drives out nothing that is asked for.
func TestSlabIsNotSweptOut(t *testing.T) {
	const most, used = 64 * 100, 64 * 30
	s := newSlab[int64](most)
	put := func(n int) {
		key, value := keyNo(n), int64(n)
		s.put(&key, &value, always)
	}
	for n := range used {
		put(n)
	}
	lost := 0
	for round := range 40 {
		for n := range used {
			var got int64
			if key := keyNo(n); !s.get(&key, &got) {
				lost++
				put(n)
			}
		}
		for n := range most / 4 { // as many as a quarter of it, never seen before
			put(1_000_000 + round*most + n)
		}
	}
	if lost > 0 {
		t.Errorf("%d of what was in use was driven out", lost)
	}
}

// What must not be put in any more is not.
func TestSlabAsksWhetherItMay(t *testing.T) {
	s, key, value := newSlab[int64](100), keyNo(1), int64(1)
	s.put(&key, &value, func() bool { return false })
	if s.get(&key, &value) {
		t.Error("it was put in")
	}
}

// Neither a key nor a value has a pointer, or a million of them would cost the garbage collector what this is there to save.
func TestSlabsHaveNoPointers(t *testing.T) {
	for _, kind := range []reflect.Type{reflect.TypeFor[cell[facts]](), reflect.TypeFor[cell[opening]]()} {
		if where := pointerIn(kind); where != "" {
			t.Errorf("%s has a pointer: %s", kind, where)
		}
	}
}

func pointerIn(kind reflect.Type) string {
	switch kind.Kind() {
	case reflect.Struct:
		for i := range kind.NumField() {
			if where := pointerIn(kind.Field(i).Type); where != "" {
				return kind.Field(i).Name + "." + where
			}
		}
	case reflect.Array:
		return pointerIn(kind.Elem())
	case reflect.Pointer, reflect.String, reflect.Slice, reflect.Map, reflect.Interface, reflect.Chan, reflect.Func, reflect.UnsafePointer:
		return kind.String()
	}
	return ""
}

func TestSlabAtOnce(t *testing.T) {
	s := newSlab[[4]int64](64 * 20)
	var all sync.WaitGroup
	for worker := range 4 {
		all.Go(func() {
			draw := rand.New(rand.NewPCG(uint64(worker), 3))
			for i := range 20_000 {
				n := draw.IntN(4000)
				key, v := keyNo(n), int64(n)
				switch value := [4]int64{v, v, v, v}; {
				case i%5000 == 0:
					s.clear()
				case draw.IntN(2) == 0:
					s.put(&key, &value, always)
				default:
					var got [4]int64
					if s.get(&key, &got) && got != value {
						t.Errorf("%d is %v", n, got)
						return
					}
				}
			}
		})
	}
	all.Wait()
}
