package provider

import (
	"context"
	"strconv"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/sre-lab/terraform-provider-srelab/internal/lab"
)

// A change of who is on call, for a time. Another one replaces it: the control room does not change overrides.
type override struct{ base }

func newOverride() resource.Resource { return &override{base{name: "oncall_override"}} }

type overrideModel struct {
	ID       types.String `tfsdk:"id"`
	Schedule types.String `tfsdk:"schedule"`
	Add      types.String `tfsdk:"add"`
	Remove   types.String `tfsdk:"remove"`
	Replace  types.String `tfsdk:"replace"`
	With     types.String `tfsdk:"with"`
	From     types.String `tfsdk:"from"`
	Until    types.String `tfsdk:"until"`
}

func (*override) Schema(_ context.Context, _ resource.SchemaRequest, answer *resource.SchemaResponse) {
	replace := []planmodifier.String{stringplanmodifier.RequiresReplace()}
	optional := func(text string) schema.StringAttribute {
		return schema.StringAttribute{Optional: true, Description: text, PlanModifiers: replace}
	}
	required := func(text string) schema.StringAttribute {
		return schema.StringAttribute{Required: true, Description: text, PlanModifiers: replace}
	}
	answer.Schema = schema.Schema{
		Description: "A change of who is on call, for a time: one of add, remove, or replace and with.",
		Attributes: map[string]schema.Attribute{
			"id": schema.StringAttribute{
				Computed: true, Description: "Its number.",
				PlanModifiers: []planmodifier.String{stringplanmodifier.UseStateForUnknown()},
			},
			"schedule": required("Name of the schedule, as in oncall.yaml."),
			"add":      optional("Who is on call as well, not as primary."),
			"remove":   optional("Who is not on call."),
			"replace":  optional("Whose shifts are taken by another."),
			"with":     optional("Who takes them."),
			"from":     required("From this instant on (RFC 3339)."),
			"until":    required("Until this instant, exclusively (RFC 3339); at most 90 days later."),
		},
	}
}

func (*override) ValidateConfig(ctx context.Context, request resource.ValidateConfigRequest, answer *resource.ValidateConfigResponse) {
	var model overrideModel
	answer.Diagnostics.Append(request.Config.Get(ctx, &model)...)
	if answer.Diagnostics.HasError() {
		return
	}
	count := 0
	for _, value := range []types.String{model.Add, model.Remove, model.Replace} {
		if value.IsUnknown() {
			return
		}
		if !value.IsNull() {
			count++
		}
	}
	if count != 1 || !model.With.IsUnknown() && model.Replace.IsNull() != model.With.IsNull() {
		answer.Diagnostics.AddError("An override makes one change", "Set one of add, remove, or replace and with.")
	}
}

func (r *override) Create(ctx context.Context, request resource.CreateRequest, answer *resource.CreateResponse) {
	var model overrideModel
	answer.Diagnostics.Append(request.Plan.Get(ctx, &model)...)
	if answer.Diagnostics.HasError() {
		return
	}
	change := lab.OverrideChange{Add: model.Add.ValueString(), Remove: model.Remove.ValueString()}
	if !model.Replace.IsNull() {
		change.Replace = &lab.Replacement{Person: model.Replace.ValueString(), With: model.With.ValueString()}
	}
	wanted := lab.Override{
		Schedule: model.Schedule.ValueString(), Change: change,
		From: model.From.ValueString(), Until: model.Until.ValueString(),
	}
	added, err := r.client.AddOverride(ctx, wanted)
	if failed(&answer.Diagnostics, "The override was refused", err) {
		return
	}
	model.ID = types.StringValue(strconv.FormatInt(added.ID, 10))
	answer.Diagnostics.Append(answer.State.Set(ctx, &model)...)
}

// Update is never called: every attribute requires a replacement.
func (*override) Update(context.Context, resource.UpdateRequest, *resource.UpdateResponse) {}

// instant keeps how a time is written if it is the same time.
func instant(known types.String, found string) types.String {
	before, err := time.Parse(time.RFC3339, known.ValueString())
	now, other := time.Parse(time.RFC3339, found)
	if err == nil && other == nil && before.Equal(now) {
		return known
	}
	return types.StringValue(found)
}

func optional(text string) types.String {
	if text == "" {
		return types.StringNull()
	}
	return types.StringValue(text)
}

func (r *override) Read(ctx context.Context, request resource.ReadRequest, answer *resource.ReadResponse) {
	var model overrideModel
	answer.Diagnostics.Append(request.State.Get(ctx, &model)...)
	if answer.Diagnostics.HasError() {
		return
	}
	id, err := strconv.ParseInt(model.ID.ValueString(), 10, 64)
	if failed(&answer.Diagnostics, "The id of an override is a number", err) {
		return
	}
	found, err := r.client.Override(ctx, id)
	if gone(err) {
		answer.State.RemoveResource(ctx)
		return
	}
	if failed(&answer.Diagnostics, "The override cannot be read", err) {
		return
	}
	model.Schedule = types.StringValue(found.Schedule)
	model.Add, model.Remove = optional(found.Change.Add), optional(found.Change.Remove)
	model.Replace, model.With = types.StringNull(), types.StringNull()
	if found.Change.Replace != nil {
		model.Replace = types.StringValue(found.Change.Replace.Person)
		model.With = types.StringValue(found.Change.Replace.With)
	}
	model.From, model.Until = instant(model.From, found.From), instant(model.Until, found.Until)
	answer.Diagnostics.Append(answer.State.Set(ctx, &model)...)
}

func (r *override) Delete(ctx context.Context, request resource.DeleteRequest, answer *resource.DeleteResponse) {
	var model overrideModel
	answer.Diagnostics.Append(request.State.Get(ctx, &model)...)
	if answer.Diagnostics.HasError() {
		return
	}
	id, err := strconv.ParseInt(model.ID.ValueString(), 10, 64)
	if failed(&answer.Diagnostics, "The id of an override is a number", err) {
		return
	}
	if err := r.client.RemoveOverride(ctx, id); !gone(err) {
		failed(&answer.Diagnostics, "The override cannot be removed", err)
	}
}

func (*override) ImportState(ctx context.Context, request resource.ImportStateRequest, answer *resource.ImportStateResponse) {
	resource.ImportStatePassthroughID(ctx, path.Root("id"), request, answer)
}
