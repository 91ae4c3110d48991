package e2e
import ("testing";"tokendesk/web/webtest";"os/exec";"fmt";"time")
func cpu() string { out, _ := exec.Command("sh","-c",fmt.Sprintf("P=$(pgrep -P %s); ","$PPID")+`C=$(pgrep -P $PPID chromium); for a in $C $(pgrep -P $(echo $C|tr ' ' ,)) ; do echo $a; done > /tmp/zzp; for a in $(cat /tmp/zzp); do pgrep -P $a; done >> /tmp/zzp; awk '{s+=$14+$15} END {print s/100}' $(sort -u /tmp/zzp | sed 's|.*|/proc/&/stat|')`).CombinedOutput(); return string(out) }
func TestZZ(t *testing.T) {
	s := webtest.SQLite(t)
	twoVersions(t, s)
	b := Open(t, Options{Base: s.URL})
	signIn(b, "ines@marlowe.example")
	b.Go("/audit")
	b.Look("x")
	t.Log(cpu())
	at := time.Now()
	for range 3 { b.Look("x") }
	t.Log("3 looks", time.Since(at), cpu())
	at = time.Now()
	for range 18 { b.Axe() }
	t.Log("18 axe", time.Since(at), cpu())
	at = time.Now()
	for range 18 { b.Screenshot("x") }
	t.Log("18 pictures", time.Since(at), cpu())
}
