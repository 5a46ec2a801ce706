package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// How a route splits its requests over its upstreams, in place of what the edge's file says.
type edgeWeights struct{ base }

func newEdgeWeights() resource.Resource { return &edgeWeights{base{name: "edge_weights"}} }

type edgeWeightsModel struct {
	Route   types.String `tfsdk:"route"`
	Weights types.Map    `tfsdk:"weights"`
}

func (*edgeWeights) Schema(_ context.Context, _ resource.SchemaRequest, answer *resource.SchemaResponse) {
	answer.Schema = schema.Schema{
		Description: "How a route of the edge splits its requests. It holds until the edge's file changes, as it does in a release.",
		Attributes: map[string]schema.Attribute{
			"route": schema.StringAttribute{
				Required: true, Description: "Name of the route.",
				PlanModifiers: []planmodifier.String{stringplanmodifier.RequiresReplace()},
			},
			"weights": schema.MapAttribute{
				Required: true, ElementType: types.Int64Type,
				Description: "Weight of each of its upstreams, 0 to 10000, by name; one of them is above 0.",
			},
		},
	}
}

// put sets what is planned, and keeps it as the state.
func (r *edgeWeights) put(ctx context.Context, plan tfsdk.Plan, state *tfsdk.State, problems *diag.Diagnostics) {
	var model edgeWeightsModel
	problems.Append(plan.Get(ctx, &model)...)
	if problems.HasError() {
		return
	}
	weights := map[string]int64{}
	problems.Append(model.Weights.ElementsAs(ctx, &weights, false)...)
	if problems.HasError() || failed(problems, "The weights were refused", r.client.SetWeights(ctx, model.Route.ValueString(), weights)) {
		return
	}
	problems.Append(state.Set(ctx, &model)...)
}

func (r *edgeWeights) Create(ctx context.Context, request resource.CreateRequest, answer *resource.CreateResponse) {
	r.put(ctx, request.Plan, &answer.State, &answer.Diagnostics)
}

func (r *edgeWeights) Update(ctx context.Context, request resource.UpdateRequest, answer *resource.UpdateResponse) {
	r.put(ctx, request.Plan, &answer.State, &answer.Diagnostics)
}

func (r *edgeWeights) Read(ctx context.Context, request resource.ReadRequest, answer *resource.ReadResponse) {
	var name types.String
	answer.Diagnostics.Append(request.State.GetAttribute(ctx, path.Root("route"), &name)...)
	if answer.Diagnostics.HasError() {
		return
	}
	route, err := r.client.Route(ctx, name.ValueString())
	// Weights of the file are nobody's but the file's: after a release, or a restart of the edge.
	if gone(err) || err == nil && !route.Set {
		answer.State.RemoveResource(ctx)
		return
	}
	if failed(&answer.Diagnostics, "The weights cannot be read", err) {
		return
	}
	weights, problems := types.MapValueFrom(ctx, types.Int64Type, route.Weights())
	answer.Diagnostics.Append(problems...)
	answer.Diagnostics.Append(answer.State.Set(ctx, &edgeWeightsModel{Route: name, Weights: weights})...)
}

func (r *edgeWeights) Delete(ctx context.Context, request resource.DeleteRequest, answer *resource.DeleteResponse) {
	var name types.String
	answer.Diagnostics.Append(request.State.GetAttribute(ctx, path.Root("route"), &name)...)
	if answer.Diagnostics.HasError() {
		return
	}
	if err := r.client.ClearWeights(ctx, name.ValueString()); !gone(err) {
		failed(&answer.Diagnostics, "The weights cannot be made what the file says", err)
	}
}

func (*edgeWeights) ImportState(ctx context.Context, request resource.ImportStateRequest, answer *resource.ImportStateResponse) {
	resource.ImportStatePassthroughID(ctx, path.Root("route"), request, answer)
}
