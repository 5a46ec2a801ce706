// Package provider describes the lab to Terraform and OpenTofu: a resource or data source is a file here.
package provider

import (
	"context"
	"errors"
	"os"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/provider/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/sre-lab/terraform-provider-srelab/internal/lab"
)

type srelab struct{}

// New makes the provider.
func New() provider.Provider { return &srelab{} }

type settings struct {
	ControlRoom types.String `tfsdk:"control_room"`
	Edge        types.String `tfsdk:"edge"`
	Token       types.String `tfsdk:"token"`
	SwitchToken types.String `tfsdk:"switch_token"`
	Person      types.String `tfsdk:"person"`
}

func (s settings) byName() map[string]types.String {
	return map[string]types.String{
		"control_room": s.ControlRoom, "edge": s.Edge, "token": s.Token, "switch_token": s.SwitchToken, "person": s.Person,
	}
}

func (*srelab) Metadata(_ context.Context, _ provider.MetadataRequest, answer *provider.MetadataResponse) {
	answer.TypeName = "srelab"
}

func (*srelab) Schema(_ context.Context, _ provider.SchemaRequest, answer *provider.SchemaResponse) {
	answer.Schema = schema.Schema{
		Description: "A running SRE Lab.",
		Attributes: map[string]schema.Attribute{
			"control_room": schema.StringAttribute{Optional: true, Description: "Base URL of the control room; LAB_CONTROL_ROOM_URL, or http://127.0.0.1:8080."},
			"edge":         schema.StringAttribute{Optional: true, Description: "Base URL of the edge's admin port; LAB_EDGE_ADMIN_URL, or http://127.0.0.1:9100."},
			"token":        schema.StringAttribute{Optional: true, Sensitive: true, Description: "Token of the control room; CONTROL_ROOM_TOKEN."},
			"switch_token": schema.StringAttribute{Optional: true, Sensitive: true, Description: "Token of the edge's switches; FAULTS_TOKEN."},
			"person":       schema.StringAttribute{Optional: true, Description: "Who acts, in timelines and in the audit log: a person of oncall.yaml; by default nobody in particular."},
		},
	}
}

// first is the value that is configured, or that of the variable, or the default.
func first(configured types.String, variable, otherwise string) string {
	if value := configured.ValueString(); value != "" {
		return value
	}
	if value := os.Getenv(variable); variable != "" && value != "" {
		return value
	}
	return otherwise
}

func (*srelab) Configure(ctx context.Context, request provider.ConfigureRequest, answer *provider.ConfigureResponse) {
	var wanted settings
	answer.Diagnostics.Append(request.Config.Get(ctx, &wanted)...)
	if answer.Diagnostics.HasError() {
		return
	}
	for name, value := range wanted.byName() {
		if value.IsUnknown() {
			// Otherwise a default would be used, and another lab than the one that was meant.
			answer.Diagnostics.AddAttributeError(path.Root(name), "The value is not known yet", "Set "+name+" to a value that is known before anything is applied.")
		}
	}
	if answer.Diagnostics.HasError() {
		return
	}
	client := lab.New(
		first(wanted.ControlRoom, "LAB_CONTROL_ROOM_URL", "http://127.0.0.1:8080"),
		first(wanted.Edge, "LAB_EDGE_ADMIN_URL", "http://127.0.0.1:9100"),
	)
	client.Token = first(wanted.Token, "CONTROL_ROOM_TOKEN", "")
	client.SwitchToken = first(wanted.SwitchToken, "FAULTS_TOKEN", "")
	client.Person = wanted.Person.ValueString()
	answer.ResourceData, answer.DataSourceData = client, client
}

func (*srelab) DataSources(context.Context) []func() datasource.DataSource {
	return []func() datasource.DataSource{newEdgeRoute, newOncall}
}

func (*srelab) Resources(context.Context) []func() resource.Resource {
	return []func() resource.Resource{
		newWafRule, newWafMode, newWafSwitch, newEdgeLimit, newEdgeWeights, newSchedule, newPolicy, newOverride, newSLO, newGuardrail, newAutomation,
	}
}

// base is what every resource has: its name and the lab.
type base struct {
	name   string
	client *lab.Client
}

func (b *base) Metadata(_ context.Context, request resource.MetadataRequest, answer *resource.MetadataResponse) {
	answer.TypeName = request.ProviderTypeName + "_" + b.name
}

func (b *base) Configure(_ context.Context, request resource.ConfigureRequest, _ *resource.ConfigureResponse) {
	// Absent while only the configuration is validated.
	if client, ok := request.ProviderData.(*lab.Client); ok {
		b.client = client
	}
}

// failed reports an error; false if there is none.
func failed(diagnostics *diag.Diagnostics, what string, err error) bool {
	if err != nil {
		diagnostics.AddError(what, err.Error())
	}
	return err != nil
}

func gone(err error) bool { return errors.Is(err, lab.ErrGone) }
