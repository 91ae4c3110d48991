package manage

import (
	"fmt"

	"github.com/labstack/echo/v4"

	"tokendesk/handlers"
	"tokendesk/models"
)

// receipt says what became of a change: which replicas have put it into effect by the time of the answer.
type receipt struct {
	Revoked   bool  `json:"revoked" required:"true" description:"The credential, or the secret that it had before, is refused for good."`
	Effective bool  `json:"effective" required:"true" description:"No replica goes by what was before: always true in an answer."`
	Confirmed int   `json:"confirmed" required:"true" description:"Replicas that said that the change is in effect."`
	TimedOut  int   `json:"timed_out" required:"true" description:"Replicas that said nothing until their permission to answer from memory had ended."`
	Ms        int64 `json:"ms" required:"true" description:"How long that took, in milliseconds."`
}

// receiptField is a field of every answer to a change that replicas had to be waited for, a dictionary (RFC 9651, section 3.2).
const receiptField = "Tokendesk-Receipt"

// receiptOf is nil where nobody had to be waited for.
func receiptOf(c echo.Context) *receipt {
	r := handlers.Receipt(c)
	if r.Seq == 0 {
		return nil
	}
	return &receipt{Effective: true, Confirmed: r.Confirmed, TimedOut: len(r.Silent), Ms: r.Took.Milliseconds()}
}

func (r *receipt) field() string {
	return fmt.Sprintf("confirmed=%d, timed-out=%d, ms=%d", r.Confirmed, r.TimedOut, r.Ms)
}

// receiver is an answer that can say what became of the change that it is about.
type receiver interface{ receive(*receipt) }

func (c *credential) receive(r *receipt) {
	r.Revoked = c.Status == string(models.Revoked) || c.Status == string(models.Replaced) || c.Token != nil // the secret before is
	c.Receipt = r
}

func (p *person) receive(r *receipt) { p.Receipt = r }

func (l *list[T]) receive(r *receipt) { // of what was revoked together
	r.Revoked, l.Meta.Receipt = true, r
}
