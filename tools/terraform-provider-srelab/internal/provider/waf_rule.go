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

// A rule of the firewall that is put into force beside its files.
type wafRule struct{ base }

func newWafRule() resource.Resource { return &wafRule{base{name: "waf_rule"}} }

type wafRuleModel struct {
	ID      types.String `tfsdk:"id"`
	Content types.String `tfsdk:"content"`
	Pattern types.String `tfsdk:"pattern"`
	Mode    types.String `tfsdk:"mode"`
}

// What `content` is in the state when the rule in force is not the one that was put there.
const changed = "(changed outside of this configuration)"

func (*wafRule) Schema(_ context.Context, _ resource.SchemaRequest, answer *resource.SchemaResponse) {
	answer.Schema = schema.Schema{
		Description: "A rule of the edge's firewall, in force until the edge ends or the rule is withdrawn.",
		Attributes: map[string]schema.Attribute{
			"id": schema.StringAttribute{
				Required: true, Description: "Its id, as in its content.",
				PlanModifiers: []planmodifier.String{stringplanmodifier.RequiresReplace()},
			},
			"content": schema.StringAttribute{Required: true, Description: "The rule, written as the files of waf/ are."},
			"pattern": schema.StringAttribute{Computed: true, Description: "Its pattern, as the edge has it."},
			"mode":    schema.StringAttribute{Computed: true, Description: "Its mode, as the edge has it."},
		},
	}
}

func (r *wafRule) put(ctx context.Context, model *wafRuleModel) error {
	rule, err := r.client.PushRule(ctx, model.ID.ValueString(), model.Content.ValueString())
	if err == nil {
		model.Pattern, model.Mode = types.StringValue(rule.Pattern), types.StringValue(rule.Mode)
	}
	return err
}

func (r *wafRule) Create(ctx context.Context, request resource.CreateRequest, answer *resource.CreateResponse) {
	var model wafRuleModel
	answer.Diagnostics.Append(request.Plan.Get(ctx, &model)...)
	if answer.Diagnostics.HasError() || failed(&answer.Diagnostics, "The rule was refused", r.put(ctx, &model)) {
		return
	}
	answer.Diagnostics.Append(answer.State.Set(ctx, &model)...)
}

func (r *wafRule) Update(ctx context.Context, request resource.UpdateRequest, answer *resource.UpdateResponse) {
	var model wafRuleModel
	answer.Diagnostics.Append(request.Plan.Get(ctx, &model)...)
	if answer.Diagnostics.HasError() || failed(&answer.Diagnostics, "The rule was refused", r.put(ctx, &model)) {
		return
	}
	answer.Diagnostics.Append(answer.State.Set(ctx, &model)...)
}

func (r *wafRule) Read(ctx context.Context, request resource.ReadRequest, answer *resource.ReadResponse) {
	var model wafRuleModel
	answer.Diagnostics.Append(request.State.Get(ctx, &model)...)
	if answer.Diagnostics.HasError() {
		return
	}
	rule, err := r.client.Rule(ctx, model.ID.ValueString())
	if gone(err) || err == nil && !rule.Pushed {
		answer.State.RemoveResource(ctx)
		return
	}
	if failed(&answer.Diagnostics, "The rule cannot be read", err) {
		return
	}
	same := model.Pattern.ValueString() == rule.Pattern && model.Mode.ValueString() == rule.Mode
	if !same {
		model.Content = types.StringValue(changed)
	}
	model.Pattern, model.Mode = types.StringValue(rule.Pattern), types.StringValue(rule.Mode)
	answer.Diagnostics.Append(answer.State.Set(ctx, &model)...)
}

func (r *wafRule) Delete(ctx context.Context, request resource.DeleteRequest, answer *resource.DeleteResponse) {
	var model wafRuleModel
	answer.Diagnostics.Append(request.State.Get(ctx, &model)...)
	if answer.Diagnostics.HasError() {
		return
	}
	if err := r.client.WithdrawRule(ctx, model.ID.ValueString()); !gone(err) {
		failed(&answer.Diagnostics, "The rule cannot be withdrawn", err)
	}
}

func (*wafRule) ImportState(ctx context.Context, request resource.ImportStateRequest, answer *resource.ImportStateResponse) {
	resource.ImportStatePassthroughID(ctx, path.Root("id"), request, answer)
}
