package handlers

import (
	"github.com/labstack/echo/v4"

	"tokendesk/models"
	"tokendesk/views"
)

// SetTimeZone says in which time zone one reads and types times.
func (h *Handlers) SetTimeZone(c echo.Context) error {
	f, err := form(c, "time_zone")
	if err != nil {
		return err
	}
	if err = h.Store.SetTimeZone(c.Request().Context(), actor(c), models.ZoneChoice{Name: f["time_zone"]}); err == nil {
		return h.done(c, "/account", "", "Your time zone is saved.")
	}
	back, status, err := refused(err, f)
	if err != nil {
		return err
	}
	return h.showAccount(c, status, views.Form{}, views.Form{}, back)
}

// zones are offered while one types; all others of the IANA time zone database are taken too.
var zones = []string{
	"UTC", "Africa/Cairo", "Africa/Johannesburg", "Africa/Lagos", "Africa/Nairobi", "America/Argentina/Buenos_Aires", "America/Bogota", "America/Chicago",
	"America/Denver", "America/Halifax", "America/Los_Angeles", "America/Mexico_City", "America/New_York", "America/Phoenix", "America/Santiago", "America/Sao_Paulo",
	"America/Toronto", "America/Vancouver", "Asia/Bangkok", "Asia/Dhaka", "Asia/Dubai", "Asia/Hong_Kong", "Asia/Jakarta", "Asia/Jerusalem", "Asia/Karachi",
	"Asia/Kathmandu", "Asia/Kolkata", "Asia/Manila", "Asia/Riyadh", "Asia/Seoul", "Asia/Shanghai", "Asia/Singapore", "Asia/Taipei", "Asia/Tehran", "Asia/Tokyo",
	"Australia/Adelaide", "Australia/Brisbane", "Australia/Melbourne", "Australia/Perth", "Australia/Sydney", "Europe/Amsterdam", "Europe/Athens", "Europe/Berlin",
	"Europe/Brussels", "Europe/Bucharest", "Europe/Dublin", "Europe/Helsinki", "Europe/Istanbul", "Europe/Kyiv", "Europe/Lisbon", "Europe/London", "Europe/Madrid",
	"Europe/Oslo", "Europe/Paris", "Europe/Prague", "Europe/Rome", "Europe/Stockholm", "Europe/Vienna", "Europe/Warsaw", "Europe/Zurich", "Pacific/Auckland", "Pacific/Honolulu",
}
