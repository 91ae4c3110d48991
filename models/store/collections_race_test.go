package store_test

import (
	"fmt"
	"slices"
	"testing"

	"tokendesk/models"
	"tokendesk/models/store"
	"tokendesk/models/store/storetest"
)

// Security rule U9: installs at once under one name, from two servers, make versions without gaps, each with its own bytes.
func TestInstallAtOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		who := program(t, w)
		stores, numbers := []*store.Store{w.Store, w.Open(t)}, make([]int, 20)
		failed := atOnce(len(numbers), func(i int) error {
			done, err := stores[i%2].InstallCollection(t.Context(), who, archive([]string{"tools.zip", "Tools.ZIP"}[i/2%2], fmt.Sprint("PK ", i)))
			numbers[i] = done.Version.Number
			return err
		})
		if got := kinds(failed); got[""] != len(numbers) {
			t.Fatalf("%v: %v", got, failed)
		}
		for i := range numbers {
			var v models.CollectionVersion
			if err := w.DB().Where("sha256 = ?", sum(fmt.Sprint("PK ", i))).Take(&v).Error; err != nil || v.Number != numbers[i] || string(content(t, w, v.SHA256)) != fmt.Sprint("PK ", i) {
				t.Errorf("install %d was told %d: %+v (%v)", i, numbers[i], v, err)
			}
		}
		slices.Sort(numbers)
		for i, n := range numbers {
			if n != i+1 {
				t.Fatalf("the numbers are %v", numbers)
			}
		}
		if n := number(t, w, "SELECT count(*) FROM collections"); n != 1 {
			t.Errorf("%d collections", n)
		}
	})
}

// The same bytes at once, under one name and under several, are kept once, and each name has one version.
func TestSameBytesAtOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		who := program(t, w)
		stores := []*store.Store{w.Store, w.Open(t)}
		failed := atOnce(12, func(i int) error {
			_, err := stores[i%2].InstallCollection(t.Context(), who, archive([]string{"a.zip", "b.zip", "c.zip"}[i%3], "PK"))
			return err
		})
		if got := kinds(failed); got[""] != 12 {
			t.Fatalf("%v: %v", got, failed)
		}
		for table, want := range map[string]int64{"collections": 3, "collection_versions": 3, "blobs": 1, "blob_chunks": 1} {
			if n := number(t, w, "SELECT count(*) FROM "+table); n != want {
				t.Errorf("%d %s", n, table)
			}
		}
	})
}
