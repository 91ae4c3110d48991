package models

import "time"

// JWTKey is a key that signs sign-in tokens, sealed under the key file.
type JWTKey struct {
	ID        string `gorm:"primaryKey"` // the token's kid
	Sealed    []byte
	CreatedAt time.Time `gorm:"autoCreateTime:false"`
}

// TableName is how its acronym is written in one word.
func (JWTKey) TableName() string { return "jwt_keys" }

// JWTKeyLife is how long a key signs, before the next one does. What it has signed it verifies until that ends.
const JWTKeyLife = 30 * 24 * time.Hour
