package handlers

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"tokendesk/models"
	"tokendesk/views"
)

// Resources is what a workspace's API tokens may reach.
func (h *Handlers) Resources(c echo.Context) error {
	return h.showResources(c, http.StatusOK, views.Form{}, "")
}

// CreateProduct gives a workspace another product.
func (h *Handlers) CreateProduct(c echo.Context) error {
	return h.nameProduct(c, "", func(workspace string, n models.ProductNaming) (models.Product, error) {
		return h.Store.CreateProduct(c.Request().Context(), actor(c), workspace, n)
	})
}

// NameProduct gives a product another name or prefix.
func (h *Handlers) NameProduct(c echo.Context) error {
	return h.nameProduct(c, c.Param("id"), func(workspace string, n models.ProductNaming) (models.Product, error) {
		return h.Store.NameProduct(c.Request().Context(), actor(c), workspace, c.Param("id"), n)
	})
}

func (h *Handlers) nameProduct(c echo.Context, of string, do func(string, models.ProductNaming) (models.Product, error)) error {
	f, err := form(c, "name", "prefix")
	if err != nil {
		return err
	}
	w, err := h.Store.Workspace(c.Request().Context(), actor(c), c.Param("workspace"))
	if err != nil {
		return err
	}
	p, err := do(w.ID, models.ProductNaming{Name: f["name"], Prefix: f["prefix"]})
	if err == nil {
		return h.done(c, resourcesPath(w), p.Name, " is saved. Its tokens begin with "+p.Prefix+"_.")
	}
	back, status, err := refused(err, f)
	if err != nil {
		return err
	}
	return h.showResources(c, status, back, of)
}

// EditResources edits what a product's tokens may reach, as text.
func (h *Handlers) EditResources(c echo.Context) error {
	return h.showEditResources(c, http.StatusOK, views.Form{}, views.Losses{})
}

// SaveResources changes what a product's tokens may reach.
func (h *Handlers) SaveResources(c echo.Context) error {
	f, err := form(c, "resources", "revision", "lose")
	if err != nil {
		return err
	}
	w, p, err := h.product(c)
	if err != nil {
		return err
	}
	revision, err := revisionOf(f)
	if err != nil {
		return err
	}
	list, problems := models.ParseResources(f["resources"])
	if err = problems.Err(); err == nil && p.Revision == revision {
		losers, failed := h.Store.TokensLosing(c.Request().Context(), actor(c), w.ID, p.ID, list)
		if failed != nil {
			return failed
		}
		if told := toldLosses(losers); told.Value != "" && f["lose"] != told.Value {
			return h.askLosses(c, f, told)
		}
	}
	if err == nil {
		_, err = h.Store.SetResources(c.Request().Context(), actor(c), w.ID, p.ID, revision, list)
	}
	if err == nil {
		return h.done(c, resourcesPath(w), p.Name, ": its resources are saved. Tokens feel it with their next call.")
	}
	back, status, err := refused(err, f)
	if err != nil {
		return err
	}
	return h.showEditResources(c, status, back, views.Losses{})
}

// askLosses shows a form again that takes operations away from tokens, and asks whether that is meant.
func (h *Handlers) askLosses(c echo.Context, f map[string]string, told views.Losses) error {
	back := views.Form{Values: without(f, "lose"), Errors: []models.Field{{Name: "lose", Message: "Nothing is saved yet. Look at what is lost, then tick the box to save all the same."}}}
	return h.showEditResources(c, http.StatusUnprocessableEntity, back, told)
}

// lossesNamed is how many operations are named that a token loses.
const lossesNamed = 5

// toldLosses says what tokens lose; empty when it is nothing. Its value names all that is lost, so that a tick is for
// that and for nothing else that is typed after it.
func toldLosses(l models.Losers) (told views.Losses) {
	if l.Count == 0 && l.Looked == 0 && !l.Empty {
		return told
	}
	told.Value, told.Lead = strings.Join(l.Scopes, " "), counted(l.Count, "token loses", "tokens lose")+" operations."
	if l.Looked > 0 {
		told.Lead = "Of the " + counted(l.Looked, "token", "tokens") + " that were looked at, " + told.Lead
	}
	if l.Empty {
		told.Lead += " No resource is left: every call to this product is refused."
	}
	for _, t := range l.Tokens {
		named := t.Scopes[:min(len(t.Scopes), lossesNamed)]
		loss := views.Loss{Name: t.Name, Scopes: strings.Join(named, " ")}
		if more := len(t.Scopes) - len(named); more > 0 {
			loss.More = "and " + counted(more, "operation", "operations") + " more"
		}
		told.Tokens = append(told.Tokens, loss)
	}
	if more := l.Count - len(l.Tokens); more > 0 {
		told.More = "And " + counted(more, "token", "tokens") + " more."
	}
	return told
}

// revisionOf is the product's revision that whoever sent a form has seen.
func revisionOf(f map[string]string) (int64, error) {
	revision, err := strconv.ParseInt(f["revision"], 10, 64)
	if err != nil {
		return 0, models.Fail(models.Ambiguous, "The form is incomplete. Open the page again.")
	}
	return revision, nil
}

func resourcesPath(w models.WorkspaceSeen) string { return "/w/" + w.Slug + "/settings/resources" }

func productPath(w models.WorkspaceSeen, p models.Product) string {
	return "/w/" + w.Slug + "/settings/products/" + p.ID
}

// product reads the product that a page is about.
func (h *Handlers) product(c echo.Context) (w models.WorkspaceSeen, p models.Product, err error) {
	ctx, who := c.Request().Context(), actor(c)
	if w, err = h.Store.Workspace(ctx, who, c.Param("workspace")); err != nil {
		return w, p, err
	}
	p, err = h.Store.ProductOf(ctx, who, w.ID, c.Param("id"))
	return w, p, err
}

func (h *Handlers) showResources(c echo.Context, status int, back views.Form, of string) error {
	ctx, who := c.Request().Context(), actor(c)
	w, err := h.Store.Workspace(ctx, who, c.Param("workspace"))
	if err != nil {
		return err
	}
	products, err := h.Store.Products(ctx, who, w.ID)
	if err != nil {
		return err
	}
	used, err := h.Store.UsedProducts(ctx, w.ID)
	if err != nil {
		return err
	}
	list := views.ProductList{
		Path: "/w/" + w.Slug + "/settings/products", Gateway: h.address(c) + "/api", MayEdit: who.MayEditResources(w.Role), MayPoint: who.MayPointProducts(),
		Form: back, FormOf: of, CallsLimit: plainly(w.APICallsAMinute, "call", "calls") + " a minute for each API token",
	}
	list.MayAdd = list.MayEdit && len(products) < models.MostProducts
	for _, p := range products {
		list.Products = append(list.Products, views.ProductCard{
			ID: p.ID, Path: productPath(w, p), Name: p.Name, Prefix: p.Prefix, Upstream: p.Upstream, Used: used[p.ID], Resources: scopeGroups(p.Resources, nil),
		})
	}
	page, err := h.page(c)
	if err != nil {
		return err
	}
	return show(c, status, views.SettingsResources(page, list))
}

func (h *Handlers) showEditResources(c echo.Context, status int, back views.Form, losses views.Losses) error {
	w, p, err := h.product(c)
	if err != nil {
		return err
	}
	if !actor(c).MayEditResources(w.Role) {
		return models.Fail(models.Forbidden, "Only the workspace's Owner and Admins can change its resources.")
	}
	page, err := h.page(c)
	if err != nil {
		return err
	}
	return show(c, status, views.EditResources(page, views.ResourceForm{
		Product: p.Name, Path: productPath(w, p) + "/resources", Back: resourcesPath(w), Form: back, Text: p.Resources.Text(), Revision: strconv.FormatInt(p.Revision, 10), Losses: losses,
	}))
}
