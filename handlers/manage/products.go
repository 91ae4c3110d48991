package manage

import (
	"net/http"
	"time"

	"tokendesk/models"
)

// product is what a workspace's API tokens open.
type product struct {
	ID          string     `json:"id" required:"true"`
	WorkspaceID string     `json:"workspace_id" required:"true"`
	Name        string     `json:"name" required:"true"`
	Prefix      string     `json:"prefix" required:"true" description:"What its tokens begin with."`
	Upstream    string     `json:"upstream,omitempty" description:"Where calls go; for Admins. Not there: to the sample product."`
	Resources   []resource `json:"resources" required:"true"`
	Revision    int64      `json:"revision" required:"true" description:"It rises with each change."`
	CreatedAt   time.Time  `json:"created_at" required:"true"`
}

// resource is a named set of a product's paths.
type resource struct {
	Key        string      `json:"key" required:"true" maxLength:"40" description:"The first half of its scopes: agents in agents:list."`
	Name       string      `json:"name" required:"true"`
	Operations []operation `json:"operations" required:"true"`
}

type operation struct {
	Name   string `json:"name" required:"true" maxLength:"40" description:"The second half of the scope."`
	Method string `json:"method" required:"true" enum:"DELETE,PATCH,PUT,POST,GET"`
	Path   string `json:"path" required:"true" description:"A pattern like /api/agents/{id}."`
}

func (a *API) productOf(r request) func(models.Product) product {
	return func(p models.Product) product {
		shape := product{ID: p.ID, WorkspaceID: p.WorkspaceID, Name: p.Name, Prefix: p.Prefix, Resources: []resource{}, Revision: p.Revision, CreatedAt: p.CreatedAt}
		if r.who.MayPointProducts() {
			shape.Upstream = p.Upstream
		}
		for _, one := range p.Resources {
			to := resource{Key: one.Key, Name: one.Name, Operations: []operation{}}
			for _, o := range one.Operations {
				to.Operations = append(to.Operations, operation{o.Name, o.Method, o.Pattern})
			}
			shape.Resources = append(shape.Resources, to)
		}
		return shape
	}
}

type newProduct struct {
	byID
	once
	Name   string `json:"name" required:"true" maxLength:"60"`
	Prefix string `json:"prefix" required:"true" pattern:"^[a-z0-9]{4}$" description:"What its tokens begin with: four lower-case letters or digits."`
}

// oneProduct is what a call brings that is about one product.
type oneProduct struct {
	byID
	Product string `path:"product_id" json:"-" required:"true" description:"The product's ID."`
}

type productEdit struct {
	oneProduct
	Name   *string `json:"name" maxLength:"60"`
	Prefix *string `json:"prefix" pattern:"^[a-z0-9]{4}$" description:"Only while the product has no token."`
}

type newResources struct {
	oneProduct
	Revision  *int64     `json:"revision" required:"true" description:"The one that you have seen: a change that came between is not overwritten."`
	Resources []resource `json:"resources" required:"true"`
}

func (a *API) products() []Operation {
	const tag, path = "Products", "/v1/workspaces/{id}/products"
	return []Operation{
		op(Operation{Method: "GET", Path: path, ID: "listProducts", Tag: tag, Who: People, Summary: "List a workspace's products with their resources"}, a.listProducts),
		op(Operation{Method: "POST", Path: path, ID: "createProduct", Tag: tag, Who: People, Status: http.StatusCreated, Summary: "Add a product",
			Detail: "It points to the sample product until an Admin points it elsewhere, in the console."}, a.createProduct),
		op(Operation{Method: "GET", Path: path + "/{product_id}", ID: "getProduct", Tag: tag, Who: People, Summary: "One product"}, a.product),
		op(Operation{Method: "PATCH", Path: path + "/{product_id}", ID: "editProduct", Tag: tag, Who: People, Summary: "Change a product's name or prefix"}, a.editProduct),
		op(Operation{Method: "PUT", Path: path + "/{product_id}/resources", ID: "setResources", Tag: tag, Who: People, Summary: "Change what a product's tokens may reach",
			Detail: "Tokens that are narrowed to an operation that is gone reach less from then on, and never more."}, a.setResources),
	}
}

func (a *API) listProducts(r request, in byID) (list[product], error) {
	found, err := a.h.Store.Products(r.ctx, r.who, in.ID)
	return listed(found, "", a.productOf(r)), err
}

func (a *API) createProduct(r request, in newProduct) (product, error) {
	p, err := a.h.Store.CreateProduct(r.ctx, r.who, in.ID, models.ProductNaming{Name: in.Name, Prefix: in.Prefix})
	return a.productOf(r)(p), err
}

func (a *API) product(r request, in oneProduct) (product, error) {
	p, err := a.h.Store.ProductOf(r.ctx, r.who, in.ID, in.Product)
	return a.productOf(r)(p), err
}

func (a *API) editProduct(r request, in productEdit) (product, error) {
	p, err := a.h.Store.RenameProduct(r.ctx, r.who, in.ID, in.Product, func(p models.Product) models.ProductNaming {
		n := models.ProductNaming{Name: p.Name, Prefix: p.Prefix}
		if in.Name != nil {
			n.Name = *in.Name
		}
		if in.Prefix != nil {
			n.Prefix = *in.Prefix
		}
		return n
	})
	return a.productOf(r)(p), err
}

func (a *API) setResources(r request, in newResources) (product, error) {
	if in.Revision == nil {
		return product{}, missing("revision")
	}
	if in.Resources == nil {
		return product{}, missing("resources")
	}
	var resources models.Resources
	for _, one := range in.Resources {
		to := models.Resource{Key: one.Key, Name: one.Name}
		for _, o := range one.Operations {
			to.Operations = append(to.Operations, models.Operation{Name: o.Name, Method: o.Method, Pattern: o.Path})
		}
		resources = append(resources, to)
	}
	p, err := a.h.Store.SetResources(r.ctx, r.who, in.ID, in.Product, *in.Revision, resources)
	return a.productOf(r)(p), err
}
