package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// Who is on call now, in a schedule of the file or of the API, after overrides.
type oncall struct{ source }

func newOncall() datasource.DataSource { return &oncall{source{name: "oncall"}} }

type oncallModel struct {
	Schedule types.String `tfsdk:"schedule"`
	Primary  types.String `tfsdk:"primary"`
	Until    types.String `tfsdk:"until"`
	Next     types.String `tfsdk:"next"`
	Added    types.List   `tfsdk:"added"`
}

func (*oncall) Schema(_ context.Context, _ datasource.SchemaRequest, answer *datasource.SchemaResponse) {
	answer.Schema = schema.Schema{
		Description: "Who is on call in a schedule, now.",
		Attributes: map[string]schema.Attribute{
			"schedule": schema.StringAttribute{Required: true, Description: "Its name, such as first-line."},
			"primary":  schema.StringAttribute{Computed: true, Description: "Who is notified first; null in a gap."},
			"until":    schema.StringAttribute{Computed: true, Description: "When another person follows (RFC 3339); null if nobody does within 45 days."},
			"next":     schema.StringAttribute{Computed: true, Description: "Who that is."},
			"added":    schema.ListAttribute{Computed: true, ElementType: types.StringType, Description: "Who is on call in addition."},
		},
	}
}

func (s *oncall) Read(ctx context.Context, request datasource.ReadRequest, answer *datasource.ReadResponse) {
	var model oncallModel
	answer.Diagnostics.Append(request.Config.Get(ctx, &model)...)
	if answer.Diagnostics.HasError() {
		return
	}
	found, err := s.client.OnCall(ctx, model.Schedule.ValueString())
	if failed(&answer.Diagnostics, "The schedule cannot be read", err) {
		return
	}
	model.Primary = types.StringNull()
	if found.Primary != nil {
		model.Primary = types.StringValue(found.Primary.Person)
	}
	model.Until, model.Next = types.StringPointerValue(found.Until), types.StringPointerValue(found.Next)
	// An absent list would be null, which is not the same as an empty one.
	added, problems := types.ListValueFrom(ctx, types.StringType, append([]string{}, found.Added...))
	answer.Diagnostics.Append(problems...)
	model.Added = added
	answer.Diagnostics.Append(answer.State.Set(ctx, &model)...)
}
