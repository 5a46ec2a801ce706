package lab

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
)

// Kind is a kind of thing that the control room keeps beside a file of the checkout.
type Kind struct {
	path string
	// field of an answer that has what is declared; empty if the whole answer does.
	field string
}

// What the control room keeps.
var (
	Schedules  = Kind{path: "/api/v1/oncall/schedules/", field: "schedule"}
	Policies   = Kind{path: "/api/v1/oncall/policies/", field: "policy"}
	Objectives = Kind{path: "/api/v1/slos/", field: "slo"}
	Guardrails = Kind{path: "/api/v1/automation/guardrails/"}
)

// Who owns what is in a file of the checkout.
const ofFile = "file"

// Declared is something that the control room keeps, or that the file has.
type Declared struct {
	// OfFile says that the file owns it.
	OfFile bool
	// Fields are those of the file, as JSON.
	Fields json.RawMessage
}

// Declared reads one by its name.
func (c *Client) Declared(ctx context.Context, kind Kind, name string) (Declared, error) {
	var answer map[string]json.RawMessage
	if err := c.room(ctx, http.MethodGet, kind.path+url.PathEscape(name), nil, &answer); err != nil {
		return Declared{}, err
	}
	if kind.field == "" {
		fields, err := json.Marshal(answer)
		return Declared{Fields: fields}, err
	}
	var owner string
	if err := json.Unmarshal(answer["owner"], &owner); err != nil {
		return Declared{}, err
	}
	return Declared{OfFile: owner == ofFile, Fields: answer[kind.field]}, nil
}

// Declare declares one, or changes it.
func (c *Client) Declare(ctx context.Context, kind Kind, name string, fields any) error {
	return c.room(ctx, http.MethodPut, kind.path+url.PathEscape(name), fields, nil)
}

// Withdraw withdraws one.
func (c *Client) Withdraw(ctx context.Context, kind Kind, name string) error {
	return c.room(ctx, http.MethodDelete, kind.path+url.PathEscape(name), nil, nil)
}
