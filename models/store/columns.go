package store

import (
	"context"
	"fmt"
	"reflect"
	"strings"

	"gorm.io/gorm/schema"

	"tokendesk/models"
)

// optional keeps an empty reference as NULL: a foreign key takes one, and no empty text.
type optional struct{}

func (optional) Scan(ctx context.Context, field *schema.Field, row reflect.Value, value any) error {
	text, err := textOf(value)
	if err != nil {
		return fmt.Errorf("%s: %w", field.DBName, err)
	}
	field.ReflectValueOf(ctx, row).SetString(text)
	return nil
}

func (optional) Value(_ context.Context, _ *schema.Field, _ reflect.Value, value any) (any, error) {
	if text, _ := value.(string); text != "" {
		return text, nil
	}
	return nil, nil
}

// words keeps scopes as one text, with a space between them (RFC 6749, section 3.3).
type words struct{}

func (words) Scan(ctx context.Context, field *schema.Field, row reflect.Value, value any) error {
	text, err := textOf(value)
	if err != nil {
		return fmt.Errorf("%s: %w", field.DBName, err)
	}
	field.ReflectValueOf(ctx, row).Set(reflect.ValueOf(models.Scopes(strings.Fields(text))))
	return nil
}

func (words) Value(_ context.Context, _ *schema.Field, _ reflect.Value, value any) (any, error) {
	scopes, _ := value.(models.Scopes)
	return scopes.String(), nil
}

func textOf(value any) (string, error) {
	switch v := value.(type) {
	case nil:
		return "", nil
	case string:
		return v, nil
	case []byte:
		return string(v), nil
	}
	return "", fmt.Errorf("a %T where text belongs", value)
}

// The names by which the models' tags mean them.
var _ = register()

func register() bool {
	schema.RegisterSerializer("optional", optional{})
	schema.RegisterSerializer("words", words{})
	return true
}
