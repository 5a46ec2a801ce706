package lab

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
)

// Firewall is the edge's, with its kill switch.
type Firewall struct {
	Enabled bool `json:"enabled"`
}

// Firewall reads the switch.
func (c *Client) Firewall(ctx context.Context) (found Firewall, err error) {
	err = c.do(ctx, http.MethodGet, c.Edge+"/waf", "", nil, &found)
	return
}

// SwitchFirewall switches it; off, no rule is applied.
func (c *Client) SwitchFirewall(ctx context.Context, enabled bool) error {
	return c.do(ctx, http.MethodPut, c.Edge+"/waf?enabled="+strconv.FormatBool(enabled), "", nil, nil)
}

// Route is a route of the edge, as it is in force.
type Route struct {
	Name    string    `json:"name"`
	Prefix  string    `json:"prefix"`
	To      []RouteTo `json:"to"`
	Timeout float64   `json:"timeout_seconds"`
	Retries int64     `json:"retries"`
	// Set says that its weights were set, and are not those of its file.
	Set bool `json:"weights_set"`
}

// RouteTo is one of the upstreams of a route.
type RouteTo struct {
	Upstream string `json:"upstream"`
	Weight   int64  `json:"weight"`
}

// Weights are those of its upstreams, by name.
func (r Route) Weights() map[string]int64 {
	weights := map[string]int64{}
	for _, to := range r.To {
		weights[to.Upstream] += to.Weight
	}
	return weights
}

// Route reads one by its name.
func (c *Client) Route(ctx context.Context, name string) (Route, error) {
	var answer struct {
		Routes []Route `json:"routes"`
	}
	if err := c.do(ctx, http.MethodGet, c.Edge+"/routes", "", nil, &answer); err != nil {
		return Route{}, err
	}
	for _, route := range answer.Routes {
		if route.Name == name {
			return route, nil
		}
	}
	return Route{}, fmt.Errorf("route %s: %w", name, ErrGone)
}

// OnCall is who is on call in a schedule.
type OnCall struct {
	Schedule string `json:"schedule"`
	// Primary is absent in a gap.
	Primary *struct {
		Person string `json:"person"`
	} `json:"primary"`
	// Until and Next are absent if nobody else follows within 45 days.
	Until *string  `json:"until"`
	Next  *string  `json:"next"`
	Added []string `json:"added"`
}

// OnCall reads who is on call now.
func (c *Client) OnCall(ctx context.Context, schedule string) (OnCall, error) {
	var answer struct {
		Schedules []OnCall `json:"schedules"`
	}
	if err := c.room(ctx, http.MethodGet, "/api/v1/oncall", nil, &answer); err != nil {
		return OnCall{}, err
	}
	for _, found := range answer.Schedules {
		if found.Schedule == schedule {
			return found, nil
		}
	}
	return OnCall{}, fmt.Errorf("schedule %s: %w", schedule, ErrGone)
}
