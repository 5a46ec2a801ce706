package provider

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/sre-lab/terraform-provider-srelab/internal/lab"
)

// read asks a data source for what has this name, of a lab that answers everything with this text.
func read(t *testing.T, one datasource.DataSource, attribute, name, text string) (tfsdk.State, datasource.ReadResponse) {
	t.Helper()
	ctx := context.Background()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text) }))
	t.Cleanup(server.Close)
	configured := one.(datasource.DataSourceWithConfigure)
	configured.Configure(ctx, datasource.ConfigureRequest{ProviderData: lab.New(server.URL, server.URL)}, &datasource.ConfigureResponse{})

	var schema datasource.SchemaResponse
	one.Schema(ctx, datasource.SchemaRequest{}, &schema)
	kind := schema.Schema.Type().TerraformType(ctx)
	values := map[string]tftypes.Value{}
	for key, other := range schema.Schema.Attributes {
		values[key] = tftypes.NewValue(other.GetType().TerraformType(ctx), nil)
	}
	values[attribute] = tftypes.NewValue(tftypes.String, name)
	answer := datasource.ReadResponse{State: tfsdk.State{Schema: schema.Schema, Raw: tftypes.NewValue(kind, nil)}}
	one.Read(ctx, datasource.ReadRequest{Config: tfsdk.Config{Schema: schema.Schema, Raw: tftypes.NewValue(kind, values)}}, &answer)
	return answer.State, answer
}

func TestARouteHasTheWeightsOfItsUpstreams(t *testing.T) {
	text := `{"routes":[{"name":"orders","prefix":"/orders","to":[{"upstream":"a","weight":95},{"upstream":"b","weight":5}],"timeout_seconds":2.5,"retries":1}]}`
	state, answer := read(t, newEdgeRoute(), "name", "orders", text)
	if answer.Diagnostics.HasError() {
		t.Fatal(answer.Diagnostics)
	}
	var model edgeRouteModel
	if problems := state.Get(context.Background(), &model); problems.HasError() {
		t.Fatal(problems)
	}
	weights := map[string]int64{}
	if problems := model.Weights.ElementsAs(context.Background(), &weights, false); problems.HasError() {
		t.Fatal(problems)
	}
	if weights["a"] != 95 || weights["b"] != 5 || model.Prefix.ValueString() != "/orders" || model.Timeout.ValueFloat64() != 2.5 {
		t.Fatal(model)
	}
}

func TestAnUnknownRouteIsAnError(t *testing.T) {
	_, answer := read(t, newEdgeRoute(), "name", "users", `{"routes":[]}`)
	if !answer.Diagnostics.HasError() || !strings.Contains(answer.Diagnostics.Errors()[0].Detail(), "route users") {
		t.Fatal(answer.Diagnostics)
	}
}

func TestAGapHasNobodyAndSomebodyElseMayBeAdded(t *testing.T) {
	text := `{"schedules":[{"schedule":"first-line","primary":null,"until":null,"next":"ben","added":["cleo"]}]}`
	state, answer := read(t, newOncall(), "schedule", "first-line", text)
	if answer.Diagnostics.HasError() {
		t.Fatal(answer.Diagnostics)
	}
	var model oncallModel
	if problems := state.Get(context.Background(), &model); problems.HasError() {
		t.Fatal(problems)
	}
	if !model.Primary.IsNull() || !model.Until.IsNull() || model.Next.ValueString() != "ben" || len(model.Added.Elements()) != 1 {
		t.Fatal(model)
	}
}
