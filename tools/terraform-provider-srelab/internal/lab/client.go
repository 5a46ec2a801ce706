// Package lab speaks with the control room and with the admin port of the edge. It knows no Terraform.
package lab

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// ErrGone says that what was asked for does not exist.
var ErrGone = errors.New("it does not exist")

const (
	// Largest answer that is read, in bytes.
	largest = 4 << 20
	// Who acts on the edge if nobody is named.
	program = "terraform"
)

// Client is a lab.
type Client struct {
	// ControlRoom is its base URL, such as http://127.0.0.1:8080.
	ControlRoom string
	// Edge is the base URL of the edge's admin port, such as http://127.0.0.1:9100.
	Edge string
	// Token is the control room's, if it requires one.
	Token string
	// SwitchToken is the FAULTS_TOKEN of the edge, if it requires one.
	SwitchToken string
	// Person is who acts, in timelines and in the audit log. Empty: nobody in particular for the control room, which takes names
	// of oncall.yaml only, and terraform for the edge.
	Person string
	// HTTP sends requests.
	HTTP *http.Client
}

// New returns a client with a deadline for each request.
func New(controlRoom, edge string) *Client {
	trim := func(base string) string { return strings.TrimRight(base, "/") }
	return &Client{ControlRoom: trim(controlRoom), Edge: trim(edge), HTTP: &http.Client{Timeout: 15 * time.Second}}
}

// problem is RFC 9457, as far as a person needs it.
type problem struct {
	Title  string `json:"title"`
	Detail string `json:"detail"`
	Errors any    `json:"errors"`
}

func (c *Client) do(ctx context.Context, method, address, kind string, body []byte, out any) error {
	request, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return err
	}
	if len(body) > 0 {
		request.Header.Set("Content-Type", kind)
	}
	token, person := c.Token, c.Person
	if strings.HasPrefix(address, c.Edge+"/") {
		token = c.SwitchToken
		if person == "" {
			person = program
		}
	}
	if person != "" {
		request.Header.Set("X-Person", person)
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	answer, err := c.HTTP.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, largest))
	if err != nil {
		return err
	}
	if answer.StatusCode == http.StatusNotFound {
		return fmt.Errorf("%s %s: %w", method, address, ErrGone)
	}
	if answer.StatusCode >= 300 {
		return fmt.Errorf("%s %s: %s: %s", method, address, answer.Status, explain(text))
	}
	if out == nil || len(text) == 0 {
		return nil
	}
	return json.Unmarshal(text, out)
}

// explain makes a sentence of a problem document, or returns the text.
func explain(text []byte) string {
	var found problem
	if json.Unmarshal(text, &found) != nil || found.Title == "" {
		return string(text)
	}
	sentence := found.Title + ": " + found.Detail
	if found.Errors != nil {
		if fields, err := json.Marshal(found.Errors); err == nil {
			sentence += " " + string(fields)
		}
	}
	return sentence
}

func (c *Client) room(ctx context.Context, method, path string, in, out any) error {
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return err
		}
	}
	return c.do(ctx, method, c.ControlRoom+path, "application/json", body, out)
}

// Rule is a rule of the firewall, as the edge has it.
type Rule struct {
	ID         string `json:"id"`
	Mode       string `json:"mode"`
	ModeOfFile string `json:"mode_of_file"`
	Pushed     bool   `json:"pushed"`
	Pattern    string `json:"pattern"`
}

func (c *Client) rule(id string) string { return c.Edge + "/waf/" + url.PathEscape(id) }

// Rule reads a rule.
func (c *Client) Rule(ctx context.Context, id string) (rule Rule, err error) {
	err = c.do(ctx, http.MethodGet, c.rule(id), "", nil, &rule)
	return
}

// PushRule puts a rule into force, which is written as the files of waf/ are.
func (c *Client) PushRule(ctx context.Context, id, content string) (rule Rule, err error) {
	err = c.do(ctx, http.MethodPut, c.rule(id), "text/plain", []byte(content), &rule)
	return
}

// SetMode changes the mode of a rule.
func (c *Client) SetMode(ctx context.Context, id, mode string) (rule Rule, err error) {
	err = c.do(ctx, http.MethodPut, c.rule(id)+"?mode="+url.QueryEscape(mode), "", nil, &rule)
	return
}

// WithdrawRule makes a rule what its file says; one that has no file is gone.
func (c *Client) WithdrawRule(ctx context.Context, id string) error {
	return c.do(ctx, http.MethodDelete, c.rule(id), "", nil, nil)
}

// Limit is what one client may send.
type Limit struct {
	RPS   float64 `json:"rps"`
	Burst int64   `json:"burst"`
}

// Limit reads the limit of every client.
func (c *Client) Limit(ctx context.Context) (*Limit, error) {
	var answer struct {
		Limit *Limit `json:"limit"`
	}
	if err := c.do(ctx, http.MethodGet, c.Edge+"/limit", "", nil, &answer); err != nil {
		return nil, err
	}
	if answer.Limit == nil {
		return nil, ErrGone
	}
	return answer.Limit, nil
}

// SetLimit limits every client.
func (c *Client) SetLimit(ctx context.Context, limit Limit) error {
	// Without an exponent: the plus of 1e+06 is a space in a query.
	query := url.Values{
		"rps":   {strconv.FormatFloat(limit.RPS, 'f', -1, 64)},
		"burst": {strconv.FormatInt(limit.Burst, 10)},
	}
	return c.do(ctx, http.MethodPut, c.Edge+"/limit?"+query.Encode(), "", nil, nil)
}

// ClearLimit ends the limit.
func (c *Client) ClearLimit(ctx context.Context) error {
	return c.do(ctx, http.MethodDelete, c.Edge+"/limit", "", nil, nil)
}

// Automation is the switch of what runbooks do by themselves.
type Automation struct {
	On  bool   `json:"on"`
	Why string `json:"why"`
}

// Automation reads the switch.
func (c *Client) Automation(ctx context.Context) (found Automation, err error) {
	err = c.room(ctx, http.MethodGet, "/api/v1/automation", nil, &found)
	return
}

// SetAutomation switches.
func (c *Client) SetAutomation(ctx context.Context, wanted Automation) error {
	return c.room(ctx, http.MethodPut, "/api/v1/automation", wanted, nil)
}
