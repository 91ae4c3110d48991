package access

import (
	"context"
	"encoding/binary"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"tokendesk/models"
)

// deadFile is the file of a server that is dead, with some slots, and of some size.
func deadFile(t *testing.T, folder string, size int64, slots ...slot) (name string) {
	t.Helper()
	boot := uuid.New()
	name = filepath.Join(folder, boot.String()+countsSuffix)
	content := make([]byte, headBytes)
	binary.NativeEndian.PutUint64(content[headMagic:], countsMagic)
	copy(content[headBoot:], boot[:])
	binary.NativeEndian.PutUint64(content[headAt:], uint64(noon.UnixMicro()))
	for _, s := range slots {
		for _, word := range s {
			content = binary.NativeEndian.AppendUint64(content, word)
		}
	}
	must(t, os.WriteFile(name, content, 0o600))
	if size > 0 {
		must(t, os.Truncate(name, size))
	}
	return name
}

// counts is a slot of a credential with one call.
func counts(of uuid.UUID, flush uint64) (s slot) {
	new(pen).begin(&s, flush, &one{credential: of, day: noon.Unix() / secondsOfADay, at: noon.UnixMicro(), outcome: models.CallAccepted, address: there})
	return s
}

// A file that is larger than a server makes one is refused before it is read, and so is one of more flushes than there are; others are drained beside it.
func TestDrainRefusesAbsurdFiles(t *testing.T) {
	t.Parallel()
	folder, to := t.TempDir(), newLedger()
	large := deadFile(t, folder, 20<<30, counts(a, 1))
	var flushes []slot
	for n := range uint64(mostFlushes + 1) {
		flushes = append(flushes, counts(b, n+1))
	}
	many := deadFile(t, folder, 0, flushes...)
	good := deadFile(t, folder, 0, counts(a, 1), counts(b, 2))
	begun := time.Now()
	d, err := Drain(t.Context(), folder, to, noon)
	if took := time.Since(begun); took > 5*time.Second {
		t.Errorf("it took %s", took)
	}
	if d != (Drained{Files: 1, Calls: 2}) || err == nil || to.sum().Calls != 2 {
		t.Errorf("drained %+v: %+v", d, to.sum())
	}
	for _, name := range []string{large, many} {
		if _, gone := os.Stat(name); gone != nil || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), "Remove it") {
			t.Errorf("of %s it is said %v, %v", name, err, gone)
		}
	}
	if _, err := os.Stat(good); !errors.Is(err, os.ErrNotExist) {
		t.Error("what was drained is still there")
	}
}

// A drain that has no more time stops, and the next one does the rest.
func TestDrainStopsInTime(t *testing.T) {
	t.Parallel()
	folder, to := t.TempDir(), newLedger()
	deadFile(t, folder, 0, counts(a, 1))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if d, err := Drain(ctx, folder, to, noon); !errors.Is(err, context.Canceled) || d != (Drained{}) || to.asked != 0 {
		t.Errorf("drained %+v: %v", d, err)
	}
	if d, err := Drain(t.Context(), folder, to, noon); err != nil || d.Calls != 1 {
		t.Errorf("drained %+v: %v", d, err)
	}
}

// A slot that no server writes is left out and told of, and the others of its flush are counted; one that is there twice is counted as two.
func TestDrainLeavesOutWhatCannotBe(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(s *slot){
		"a day beyond all":       func(s *slot) { s[slotDay] = math.MaxInt64 / secondsOfADay },
		"a negative day":         func(s *slot) { s[slotDay] = math.MaxUint64 },
		"a day of next year":     func(s *slot) { s[slotDay] += 365 },
		"negative calls":         func(s *slot) { s[slotCalls] = math.MaxUint64 },
		"too many calls":         func(s *slot) { s[slotCalls] = 1 << 60 },
		"negative refused calls": func(s *slot) { s[slotRefused] = 1 << 63 },
		"negative late calls":    func(s *slot) { s[slotLate] = 1 << 63 },
		"a use to come": func(s *slot) {
			s[slotUsedToo] += uint64(365 * 24 * time.Hour / time.Microsecond)
			s[slotUsed] = s[slotUsedToo] + 1<<60
		},
		"another use to come": func(s *slot) { s[slotUsedToo] = math.MaxInt64 },
		"a late call to come": func(s *slot) { s[slotLastLate] = math.MaxInt64 },
		"kept for ever":       func(s *slot) { s[slotKeptBy] = math.MaxUint64 },
	} {
		folder, to, wrong := t.TempDir(), newLedger(), counts(b, 1)
		spoil(&wrong)
		file := deadFile(t, folder, 0, counts(a, 1), wrong, counts(uuid.UUID{15: 3}, 1), counts(a, 1))
		d, err := Drain(t.Context(), folder, to, noon)
		if err != nil || d != (Drained{Files: 1, Calls: 3, Wrong: 1}) || to.sum().Calls != 3 || to.usage[c1].Calls != 2 || len(to.usage) != 2 {
			t.Errorf("%s: drained %+v: %v; %+v", name, d, err, to.usage)
		}
		if _, err := os.Stat(file); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: the file is there: %v", name, err)
		}
	}
	folder, to, wrong := t.TempDir(), newLedger(), counts(b, math.MaxUint64)
	deadFile(t, folder, 0, wrong)
	if d, err := Drain(t.Context(), folder, to, noon); err != nil || d != (Drained{Files: 1, Wrong: 1}) || to.asked != 0 {
		t.Errorf("a flush beyond all: %+v, %v", d, err)
	}
}
