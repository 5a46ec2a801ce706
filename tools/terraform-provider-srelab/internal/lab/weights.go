package lab

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
)

func (c *Client) route(name string) string { return c.Edge + "/routes/" + url.PathEscape(name) }

// SetWeights splits the requests of a route over its upstreams, until the edge's files change.
func (c *Client) SetWeights(ctx context.Context, name string, weights map[string]int64) error {
	query := url.Values{}
	for upstream, weight := range weights {
		query.Set(upstream, strconv.FormatInt(weight, 10))
	}
	return c.do(ctx, http.MethodPut, c.route(name)+"?"+query.Encode(), "", nil, nil)
}

// ClearWeights gives a route the weights of its file.
func (c *Client) ClearWeights(ctx context.Context, name string) error {
	return c.do(ctx, http.MethodDelete, c.route(name), "", nil, nil)
}
