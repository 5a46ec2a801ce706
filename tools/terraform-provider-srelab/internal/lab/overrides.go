package lab

import (
	"context"
	"fmt"
	"net/http"
)

// Override is a change of who is on call, for a time.
type Override struct {
	ID       int64          `json:"id"`
	Schedule string         `json:"schedule"`
	Change   OverrideChange `json:"change"`
	From     string         `json:"from"`
	Until    string         `json:"until"`
}

// OverrideChange has exactly one field.
type OverrideChange struct {
	Add     string       `json:"add,omitempty"`
	Remove  string       `json:"remove,omitempty"`
	Replace *Replacement `json:"replace,omitempty"`
}

// Replacement says whose shifts are taken by whom.
type Replacement struct {
	Person string `json:"person"`
	With   string `json:"with"`
}

// Override reads one by its number.
func (c *Client) Override(ctx context.Context, id int64) (Override, error) {
	var answer struct {
		Overrides []Override `json:"overrides"`
	}
	if err := c.room(ctx, http.MethodGet, "/api/v1/oncall", nil, &answer); err != nil {
		return Override{}, err
	}
	for _, override := range answer.Overrides {
		if override.ID == id {
			return override, nil
		}
	}
	return Override{}, fmt.Errorf("override %d: %w", id, ErrGone)
}

// AddOverride adds one; the answer has its number.
func (c *Client) AddOverride(ctx context.Context, wanted Override) (Override, error) {
	asked := map[string]any{"schedule": wanted.Schedule, "change": wanted.Change, "from": wanted.From, "until": wanted.Until}
	var answer struct {
		Override Override `json:"override"`
	}
	err := c.room(ctx, http.MethodPost, "/api/v1/oncall/overrides", asked, &answer)
	return answer.Override, err
}

// RemoveOverride removes one.
func (c *Client) RemoveOverride(ctx context.Context, id int64) error {
	return c.room(ctx, http.MethodDelete, fmt.Sprintf("/api/v1/oncall/overrides/%d", id), nil, nil)
}
