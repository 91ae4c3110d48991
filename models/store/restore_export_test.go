package store

import (
	"gorm.io/gorm"

	"tokendesk/models"
)

// DB is the copy past all rules.
func (c *Copy) DB() *gorm.DB { return c.store.db }

// Listen has f told when the copy is ready to take a database's place.
func (c *Copy) Listen(f func(models.Event)) { c.store.Listen(f) }
