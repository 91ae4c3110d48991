package main

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The folder that a server counts in is nobody else's. Whoever cuts its file off while it runs does not end it, and what is found there of absurd size
// does not keep it from starting: both are told of, and calls are counted.
func TestOthersWriteToTheUsageFolder(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, in place) {
		folder := filepath.Join(in.dir, "usage")
		absurd := filepath.Join(folder, "01a20049-a317-7ea3-9747-ad5f991ff702.counts")
		head := binary.NativeEndian.AppendUint64(nil, 0x544b444b_55534731)
		if err := os.MkdirAll(folder, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(absurd, head, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(absurd, 20<<30); err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		s := in.serve(t)
		if took := time.Since(begun); took > 20*time.Second {
			t.Errorf("it started after %s", took)
		}
		token := s.setUp(t).bearerToken(t)
		s.call(t, token, 40)
		files, err := filepath.Glob(filepath.Join(folder, "*.counts"))
		if err != nil || len(files) != 2 {
			t.Fatal(files, err)
		}
		for _, file := range files {
			if file != absurd {
				if err := os.Truncate(file, 64<<10); err != nil {
					t.Fatal(err)
				}
			}
		}
		s.call(t, token, 80)
		s.await(t, s.err, "was cut off or overwritten") // with the next flush
		s.call(t, token, 720)
		told := s.stop(t).err
		if n := strings.Count(told, "was cut off or overwritten while the server counts in it"); n != 1 {
			t.Errorf("that its file was cut off is told %d times", n)
		}
		if !strings.Contains(told, "which no server counts in: it is left as it is") {
			t.Errorf("the other file is not told of: %.2000s", told)
		}
		var calls int
		if err := in.open(t).QueryRow("SELECT SUM(calls) FROM usage_totals").Scan(&calls); err != nil || calls < 800 || calls > 840 {
			t.Errorf("%d calls are counted: %v", calls, err)
		}
		if left, err := filepath.Glob(filepath.Join(folder, "*")); err != nil || len(left) != 1 {
			t.Errorf("left are %q: %v", left, err)
		}
	})
}
