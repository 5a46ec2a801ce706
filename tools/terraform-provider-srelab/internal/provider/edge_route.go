package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// What the edge does with the requests of a route. Its files say so, but for weights that were set.
type edgeRoute struct{ source }

func newEdgeRoute() datasource.DataSource { return &edgeRoute{source{name: "edge_route"}} }

type edgeRouteModel struct {
	Name    types.String  `tfsdk:"name"`
	Prefix  types.String  `tfsdk:"prefix"`
	Weights types.Map     `tfsdk:"weights"`
	Timeout types.Float64 `tfsdk:"timeout_seconds"`
	Retries types.Int64   `tfsdk:"retries"`
}

func (*edgeRoute) Schema(_ context.Context, _ datasource.SchemaRequest, answer *datasource.SchemaResponse) {
	answer.Schema = schema.Schema{
		Description: "A route of the edge, as it is in force.",
		Attributes: map[string]schema.Attribute{
			"name":            schema.StringAttribute{Required: true, Description: "Its name, as in the file of routes."},
			"prefix":          schema.StringAttribute{Computed: true, Description: "What the paths of its requests begin with."},
			"weights":         schema.MapAttribute{Computed: true, ElementType: types.Int64Type, Description: "Weights of its upstreams, by name."},
			"timeout_seconds": schema.Float64Attribute{Computed: true, Description: "Longest wait for an answer, in seconds."},
			"retries":         schema.Int64Attribute{Computed: true, Description: "Further attempts of a request that failed."},
		},
	}
}

func (s *edgeRoute) Read(ctx context.Context, request datasource.ReadRequest, answer *datasource.ReadResponse) {
	var model edgeRouteModel
	answer.Diagnostics.Append(request.Config.Get(ctx, &model)...)
	if answer.Diagnostics.HasError() {
		return
	}
	route, err := s.client.Route(ctx, model.Name.ValueString())
	if failed(&answer.Diagnostics, "The route cannot be read", err) {
		return
	}
	weights, problems := types.MapValueFrom(ctx, types.Int64Type, route.Weights())
	answer.Diagnostics.Append(problems...)
	model.Prefix, model.Weights = types.StringValue(route.Prefix), weights
	model.Timeout, model.Retries = types.Float64Value(route.Timeout), types.Int64Value(route.Retries)
	answer.Diagnostics.Append(answer.State.Set(ctx, &model)...)
}
