package provider

import (
	"context"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"
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
