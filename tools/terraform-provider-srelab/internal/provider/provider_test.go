package provider

import (
	"context"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

func TestEverySchemaIsSound(t *testing.T) {
	ctx := context.Background()
	var whole provider.SchemaResponse
	New().Schema(ctx, provider.SchemaRequest{}, &whole)
	if problems := whole.Schema.ValidateImplementation(ctx); problems.HasError() {
		t.Fatal(problems)
	}
	for _, make := range New().Resources(ctx) {
		one := make()
		var name resource.MetadataResponse
		one.Metadata(ctx, resource.MetadataRequest{ProviderTypeName: "srelab"}, &name)
		var answer resource.SchemaResponse
		one.Schema(ctx, resource.SchemaRequest{}, &answer)
		if problems := answer.Schema.ValidateImplementation(ctx); problems.HasError() {
			t.Errorf("%s: %v", name.TypeName, problems)
		}
	}
	for _, make := range New().DataSources(ctx) {
		one := make()
		var name datasource.MetadataResponse
		one.Metadata(ctx, datasource.MetadataRequest{ProviderTypeName: "srelab"}, &name)
		var answer datasource.SchemaResponse
		one.Schema(ctx, datasource.SchemaRequest{}, &answer)
		if problems := answer.Schema.ValidateImplementation(ctx); problems.HasError() {
			t.Errorf("%s: %v", name.TypeName, problems)
		}
	}
}

func TestAnAddressThatIsNotKnownYetIsRefused(t *testing.T) {
	ctx := context.Background()
	var whole provider.SchemaResponse
	New().Schema(ctx, provider.SchemaRequest{}, &whole)
	values, kinds := map[string]tftypes.Value{}, map[string]tftypes.Type{}
	for name := range whole.Schema.Attributes {
		values[name], kinds[name] = tftypes.NewValue(tftypes.String, nil), tftypes.String
	}
	values["edge"] = tftypes.NewValue(tftypes.String, tftypes.UnknownValue)
	config := tfsdk.Config{Schema: whole.Schema, Raw: tftypes.NewValue(tftypes.Object{AttributeTypes: kinds}, values)}
	var answer provider.ConfigureResponse
	New().Configure(ctx, provider.ConfigureRequest{Config: config}, &answer)
	if answer.ResourceData != nil || !strings.Contains(answer.Diagnostics.Errors()[0].Detail(), "edge") {
		t.Fatal(answer.Diagnostics)
	}
}

func TestATimeKeepsHowItIsWrittenWhileItIsTheSame(t *testing.T) {
	known := types.StringValue("2026-12-01T09:00:00+01:00")
	if found := instant(known, "2026-12-01T08:00:00Z"); found != known {
		t.Errorf("%s", found)
	}
	if found := instant(known, "2026-12-01T08:30:00Z"); found.ValueString() != "2026-12-01T08:30:00Z" {
		t.Errorf("%s", found)
	}
}
