package provider

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/sre-lab/terraform-provider-srelab/internal/lab"
)

// weighing is a resource for an edge that answers everything with this text, its state with the route orders and these weights,
// and the changes that the edge was asked for.
func weighing(t *testing.T, text string, weights map[string]int64) (resource.Resource, tfsdk.State, *[]string) {
	t.Helper()
	ctx, changes := context.Background(), &[]string{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet {
			*changes = append(*changes, r.Method+" "+r.URL.String())
		}
		_, _ = io.WriteString(w, text)
	}))
	t.Cleanup(server.Close)
	one := newEdgeWeights()
	configured := one.(resource.ResourceWithConfigure)
	configured.Configure(ctx, resource.ConfigureRequest{ProviderData: lab.New("http://127.0.0.1:1", server.URL)}, &resource.ConfigureResponse{})
	var answer resource.SchemaResponse
	one.Schema(ctx, resource.SchemaRequest{}, &answer)
	values := map[string]tftypes.Value{}
	for upstream, weight := range weights {
		values[upstream] = tftypes.NewValue(tftypes.Number, weight)
	}
	raw := tftypes.NewValue(answer.Schema.Type().TerraformType(ctx), map[string]tftypes.Value{
		"route":   tftypes.NewValue(tftypes.String, "orders"),
		"weights": tftypes.NewValue(tftypes.Map{ElementType: tftypes.Number}, values),
	})
	return one, tfsdk.State{Schema: answer.Schema, Raw: raw}, changes
}

func route(set string) string {
	return `{"routes":[{"name":"orders","to":[{"upstream":"a","weight":80},{"upstream":"b","weight":20}],"weights_set":` + set + `}]}`
}

func TestWeightsOfTheFileAreNobodysAndOthersAreSeen(t *testing.T) {
	one, before, _ := weighing(t, route("true"), map[string]int64{"a": 95, "b": 5})
	var model edgeWeightsModel
	if problems := refreshed(t, one, before).Get(context.Background(), &model); problems.HasError() {
		t.Fatal(problems)
	}
	weights := map[string]int64{}
	if problems := model.Weights.ElementsAs(context.Background(), &weights, false); problems.HasError() {
		t.Fatal(problems)
	}
	if weights["a"] != 80 || weights["b"] != 20 || len(weights) != 2 {
		t.Fatal(weights)
	}
	for _, text := range []string{route("false"), `{"routes":[]}`} {
		one, before, _ := weighing(t, text, map[string]int64{"a": 80, "b": 20})
		if after := refreshed(t, one, before); !after.Raw.IsNull() {
			t.Error(text, after.Raw)
		}
	}
}

func TestWeightsAreSetAndTakenBackByTheNameOfTheirRoute(t *testing.T) {
	ctx := context.Background()
	one, wanted, changes := weighing(t, "{}", map[string]int64{"a": 95, "b": 5})
	nothing := tftypes.NewValue(wanted.Schema.Type().TerraformType(ctx), nil)
	made := resource.CreateResponse{State: tfsdk.State{Schema: wanted.Schema, Raw: nothing}}
	one.Create(ctx, resource.CreateRequest{Plan: tfsdk.Plan{Schema: wanted.Schema, Raw: wanted.Raw}}, &made)
	ended := resource.DeleteResponse{State: made.State}
	one.Delete(ctx, resource.DeleteRequest{State: made.State}, &ended)
	if made.Diagnostics.HasError() || ended.Diagnostics.HasError() {
		t.Fatal(made.Diagnostics, ended.Diagnostics)
	}
	if all := strings.Join(*changes, ", "); all != "PUT /routes/orders?a=95&b=5, DELETE /routes/orders" {
		t.Fatal(all)
	}
}
