package main

import (
	"strings"
	"syscall"
	"testing"
)

// The newest events are printed, oldest of them first, as many as were asked for.
func TestAuditTail(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, in place) {
		in.person(t, "Ines Moreau", "ines@marlowe.example", "--admin")
		in.person(t, "Tomas Berg", "tomas@marlowe.example")
		all := strings.Split(strings.TrimSpace(in.ok(t, "", "audit", "tail")), "\n")
		if len(all) != 2 || !strings.HasPrefix(all[0], "1 ") || !strings.HasPrefix(all[1], "2 ") {
			t.Fatalf("the log is %q", all)
		}
		if !hasLine(all[1], "person.created by command ", ` on person "Tomas Berg" (`, `email:""->"tomas@marlowe.example"`) {
			t.Errorf("the second event is %q", all[1])
		}
		if last := in.ok(t, "", "audit", "tail", "-n", "1"); last != all[1]+"\n" {
			t.Errorf("the last event is %q", last)
		}
	})
}

// With -f the log goes on with what other programs change, each event once, until a signal.
func TestAuditTailFollows(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, in place) {
		in.person(t, "Ines Moreau", "ines@marlowe.example", "--admin")
		in.person(t, "Tomas Berg", "tomas@marlowe.example")
		tail := launch(t, in.env(), "", "audit", "tail", "-f", "-n", "1")
		tail.await(t, tail.out, `(?m)^2 .*Tomas Berg.*\n`)
		in.person(t, "Ada Novak", "ada@marlowe.example")
		in.person(t, "Yusuf Kaya", "yusuf@marlowe.example")
		tail.await(t, tail.out, `(?m)^4 .*\n`)
		tail.signal(t, syscall.SIGINT)
		r := tail.wait(t)
		lines := strings.Split(r.out, "\n")
		if r.code != 0 || r.err != "" || len(lines) != 4 || !hasLine(lines[1], "3 ", "Ada Novak") || !hasLine(lines[2], "4 ", "Yusuf Kaya") {
			t.Errorf("exit code %d, stderr %q, printed %q", r.code, r.err, r.out)
		}
	})
}

// Whoever changes the log behind the program's back is found out, with the first link that is broken.
func TestAuditVerify(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ change, want string }{
		"changed":        {"UPDATE events SET actor_name = 'Mallory' WHERE seq = 2", "event 2 (person.created, "},
		"changed after":  {"UPDATE events SET changes = '' WHERE seq >= 2", "event 2 (person.created, "},
		"taken out":      {"DELETE FROM events WHERE seq = 2", "event 2 is missing"},
		"cut off":        {"DELETE FROM events WHERE seq = 3", "events after 2 ("},
		"cut off whole":  {"DELETE FROM events", "events after 0 ("},
		"clock put back": {"UPDATE change_clock SET last_seq = 2", "the log has event 3, and the clock stands at 2"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := onSQLite(t)
			for _, who := range []string{"ines", "tomas", "ada"} {
				in.person(t, who, who+"@marlowe.example", "--admin")
			}
			if out := in.ok(t, "", "audit", "verify"); out != "The audit log is whole: 3 events, each chained to the one before.\n" {
				t.Fatalf("printed %q", out)
			}
			in.exec(t, "DROP TRIGGER events_keep_update", "DROP TRIGGER events_keep_delete", c.change)
			in.run(t, "", "audit", "verify").wantOneLine(t, 1, "the audit log was tampered with: "+c.want)
			if r := in.run(t, "", "doctor"); r.code != 1 || !hasLine(r.out, "wrong  audit log", c.want) {
				t.Errorf("doctor: exit code %d: %s", r.code, r.out)
			}
		})
	}
}
