package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/sre-lab/terraform-provider-srelab/internal/lab"
)

// What any one client may send; there is one such limit.
type edgeLimit struct{ base }

func newEdgeLimit() resource.Resource { return &edgeLimit{base{name: "edge_limit"}} }

type edgeLimitModel struct {
	RPS   types.Float64 `tfsdk:"rps"`
	Burst types.Int64   `tfsdk:"burst"`
}

func (*edgeLimit) Schema(_ context.Context, _ resource.SchemaRequest, answer *resource.SchemaResponse) {
	answer.Schema = schema.Schema{
		Description: "What each client may send to the edge, on top of the limits of its routes. There is one.",
		Attributes: map[string]schema.Attribute{
			"rps":   schema.Float64Attribute{Required: true, Description: "Requests per second, 0.01 to 1000000."},
			"burst": schema.Int64Attribute{Required: true, Description: "Requests at once, 1 to 1000000."},
		},
	}
}

func (r *edgeLimit) set(ctx context.Context, model edgeLimitModel) error {
	return r.client.SetLimit(ctx, lab.Limit{RPS: model.RPS.ValueFloat64(), Burst: model.Burst.ValueInt64()})
}

func (r *edgeLimit) Create(ctx context.Context, request resource.CreateRequest, answer *resource.CreateResponse) {
	var model edgeLimitModel
	answer.Diagnostics.Append(request.Plan.Get(ctx, &model)...)
	if answer.Diagnostics.HasError() || failed(&answer.Diagnostics, "The limit was refused", r.set(ctx, model)) {
		return
	}
	answer.Diagnostics.Append(answer.State.Set(ctx, &model)...)
}

func (r *edgeLimit) Update(ctx context.Context, request resource.UpdateRequest, answer *resource.UpdateResponse) {
	var model edgeLimitModel
	answer.Diagnostics.Append(request.Plan.Get(ctx, &model)...)
	if answer.Diagnostics.HasError() || failed(&answer.Diagnostics, "The limit was refused", r.set(ctx, model)) {
		return
	}
	answer.Diagnostics.Append(answer.State.Set(ctx, &model)...)
}

func (r *edgeLimit) Read(ctx context.Context, _ resource.ReadRequest, answer *resource.ReadResponse) {
	limit, err := r.client.Limit(ctx)
	if gone(err) {
		answer.State.RemoveResource(ctx)
		return
	}
	if !failed(&answer.Diagnostics, "The limit cannot be read", err) {
		model := edgeLimitModel{RPS: types.Float64Value(limit.RPS), Burst: types.Int64Value(limit.Burst)}
		answer.Diagnostics.Append(answer.State.Set(ctx, &model)...)
	}
}

func (r *edgeLimit) Delete(ctx context.Context, _ resource.DeleteRequest, answer *resource.DeleteResponse) {
	failed(&answer.Diagnostics, "The limit cannot be ended", r.client.ClearLimit(ctx))
}
