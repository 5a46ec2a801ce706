package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// The kill switch of the firewall; there is one.
type wafSwitch struct{ base }

func newWafSwitch() resource.Resource { return &wafSwitch{base{name: "waf_switch"}} }

type wafSwitchModel struct {
	Enabled types.Bool `tfsdk:"enabled"`
}

func (*wafSwitch) Schema(_ context.Context, _ resource.SchemaRequest, answer *resource.SchemaResponse) {
	answer.Schema = schema.Schema{
		Description: "Whether the edge's firewall applies its rules. There is one switch; destroying it switches the firewall on.",
		Attributes: map[string]schema.Attribute{
			"enabled": schema.BoolAttribute{Required: true, Description: "Whether it applies them; off is the kill switch."},
		},
	}
}

func (r *wafSwitch) Create(ctx context.Context, request resource.CreateRequest, answer *resource.CreateResponse) {
	var model wafSwitchModel
	answer.Diagnostics.Append(request.Plan.Get(ctx, &model)...)
	if answer.Diagnostics.HasError() || failed(&answer.Diagnostics, "The switch was refused", r.client.SwitchFirewall(ctx, model.Enabled.ValueBool())) {
		return
	}
	answer.Diagnostics.Append(answer.State.Set(ctx, &model)...)
}

func (r *wafSwitch) Update(ctx context.Context, request resource.UpdateRequest, answer *resource.UpdateResponse) {
	var model wafSwitchModel
	answer.Diagnostics.Append(request.Plan.Get(ctx, &model)...)
	if answer.Diagnostics.HasError() || failed(&answer.Diagnostics, "The switch was refused", r.client.SwitchFirewall(ctx, model.Enabled.ValueBool())) {
		return
	}
	answer.Diagnostics.Append(answer.State.Set(ctx, &model)...)
}

func (r *wafSwitch) Read(ctx context.Context, _ resource.ReadRequest, answer *resource.ReadResponse) {
	found, err := r.client.Firewall(ctx)
	if failed(&answer.Diagnostics, "The switch cannot be read", err) {
		return
	}
	answer.Diagnostics.Append(answer.State.Set(ctx, &wafSwitchModel{Enabled: types.BoolValue(found.Enabled)})...)
}

// Delete switches the firewall on: nobody is left without one by accident.
func (r *wafSwitch) Delete(ctx context.Context, _ resource.DeleteRequest, answer *resource.DeleteResponse) {
	failed(&answer.Diagnostics, "The firewall cannot be switched on", r.client.SwitchFirewall(ctx, true))
}
