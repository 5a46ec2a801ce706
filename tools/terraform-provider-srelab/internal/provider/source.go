package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/datasource"

	"github.com/sre-lab/terraform-provider-srelab/internal/lab"
)

// source is what every data source has: its name and the lab.
type source struct {
	name   string
	client *lab.Client
}

func (s *source) Metadata(_ context.Context, request datasource.MetadataRequest, answer *datasource.MetadataResponse) {
	answer.TypeName = request.ProviderTypeName + "_" + s.name
}

func (s *source) Configure(_ context.Context, request datasource.ConfigureRequest, _ *datasource.ConfigureResponse) {
	// Absent while only the configuration is validated.
	if client, ok := request.ProviderData.(*lab.Client); ok {
		s.client = client
	}
}
