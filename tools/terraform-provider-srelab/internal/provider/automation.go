package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/sre-lab/terraform-provider-srelab/internal/lab"
)

// Whether runbooks act by themselves; there is one such switch.
type automation struct{ base }

func newAutomation() resource.Resource { return &automation{base{name: "automation"}} }

type automationModel struct {
	On  types.Bool   `tfsdk:"on"`
	Why types.String `tfsdk:"why"`
}

func (*automation) Schema(_ context.Context, _ resource.SchemaRequest, answer *resource.SchemaResponse) {
	answer.Schema = schema.Schema{
		Description: "Whether automation acts on alerts. There is one switch; destroying it leaves it as it is.",
		Attributes: map[string]schema.Attribute{
			"on":  schema.BoolAttribute{Required: true, Description: "Whether it acts."},
			"why": schema.StringAttribute{Required: true, Description: "Why, in a sentence; kept in the audit log."},
		},
	}
}

func (r *automation) set(ctx context.Context, model automationModel) error {
	return r.client.SetAutomation(ctx, lab.Automation{On: model.On.ValueBool(), Why: model.Why.ValueString()})
}

func (r *automation) Create(ctx context.Context, request resource.CreateRequest, answer *resource.CreateResponse) {
	var model automationModel
	answer.Diagnostics.Append(request.Plan.Get(ctx, &model)...)
	if answer.Diagnostics.HasError() || failed(&answer.Diagnostics, "The switch was refused", r.set(ctx, model)) {
		return
	}
	answer.Diagnostics.Append(answer.State.Set(ctx, &model)...)
}

func (r *automation) Update(ctx context.Context, request resource.UpdateRequest, answer *resource.UpdateResponse) {
	var model automationModel
	answer.Diagnostics.Append(request.Plan.Get(ctx, &model)...)
	if answer.Diagnostics.HasError() || failed(&answer.Diagnostics, "The switch was refused", r.set(ctx, model)) {
		return
	}
	answer.Diagnostics.Append(answer.State.Set(ctx, &model)...)
}

func (r *automation) Read(ctx context.Context, _ resource.ReadRequest, answer *resource.ReadResponse) {
	found, err := r.client.Automation(ctx)
	if failed(&answer.Diagnostics, "The switch cannot be read", err) {
		return
	}
	model := automationModel{On: types.BoolValue(found.On), Why: types.StringValue(found.Why)}
	answer.Diagnostics.Append(answer.State.Set(ctx, &model)...)
}

// Delete forgets the switch: neither on nor off is what was there before.
func (*automation) Delete(context.Context, resource.DeleteRequest, *resource.DeleteResponse) {}
