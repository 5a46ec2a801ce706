package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// The mode of a rule that is in a file.
type wafMode struct{ base }

func newWafMode() resource.Resource { return &wafMode{base{name: "waf_mode"}} }

type wafModeModel struct {
	Rule types.String `tfsdk:"rule"`
	Mode types.String `tfsdk:"mode"`
}

func (*wafMode) Schema(_ context.Context, _ resource.SchemaRequest, answer *resource.SchemaResponse) {
	answer.Schema = schema.Schema{
		Description: "The mode of a rule of the edge's firewall, in place of the one in its file.",
		Attributes: map[string]schema.Attribute{
			"rule": schema.StringAttribute{
				Required: true, Description: "Id of the rule.",
				PlanModifiers: []planmodifier.String{stringplanmodifier.RequiresReplace()},
			},
			"mode": schema.StringAttribute{Required: true, Description: "off, simulate or enforce."},
		},
	}
}

func (r *wafMode) Create(ctx context.Context, request resource.CreateRequest, answer *resource.CreateResponse) {
	var model wafModeModel
	answer.Diagnostics.Append(request.Plan.Get(ctx, &model)...)
	if answer.Diagnostics.HasError() {
		return
	}
	_, err := r.client.SetMode(ctx, model.Rule.ValueString(), model.Mode.ValueString())
	if !failed(&answer.Diagnostics, "The mode was refused", err) {
		answer.Diagnostics.Append(answer.State.Set(ctx, &model)...)
	}
}

func (r *wafMode) Update(ctx context.Context, request resource.UpdateRequest, answer *resource.UpdateResponse) {
	var model wafModeModel
	answer.Diagnostics.Append(request.Plan.Get(ctx, &model)...)
	if answer.Diagnostics.HasError() {
		return
	}
	_, err := r.client.SetMode(ctx, model.Rule.ValueString(), model.Mode.ValueString())
	if !failed(&answer.Diagnostics, "The mode was refused", err) {
		answer.Diagnostics.Append(answer.State.Set(ctx, &model)...)
	}
}

func (r *wafMode) Read(ctx context.Context, request resource.ReadRequest, answer *resource.ReadResponse) {
	var model wafModeModel
	answer.Diagnostics.Append(request.State.Get(ctx, &model)...)
	if answer.Diagnostics.HasError() {
		return
	}
	rule, err := r.client.Rule(ctx, model.Rule.ValueString())
	if gone(err) {
		answer.State.RemoveResource(ctx)
		return
	}
	if !failed(&answer.Diagnostics, "The rule cannot be read", err) {
		model.Mode = types.StringValue(rule.Mode)
		answer.Diagnostics.Append(answer.State.Set(ctx, &model)...)
	}
}

func (r *wafMode) Delete(ctx context.Context, request resource.DeleteRequest, answer *resource.DeleteResponse) {
	var model wafModeModel
	answer.Diagnostics.Append(request.State.Get(ctx, &model)...)
	if answer.Diagnostics.HasError() {
		return
	}
	if err := r.client.WithdrawRule(ctx, model.Rule.ValueString()); !gone(err) {
		failed(&answer.Diagnostics, "The rule cannot be made what its file says", err)
	}
}

func (*wafMode) ImportState(ctx context.Context, request resource.ImportStateRequest, answer *resource.ImportStateResponse) {
	resource.ImportStatePassthroughID(ctx, path.Root("rule"), request, answer)
}
