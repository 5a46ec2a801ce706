package provider

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/sre-lab/terraform-provider-srelab/internal/lab"
)

const nights = `{"name":"nights","zone":"UTC","layers":[{"name":"week","rotation":{"unit":"week","start":"2026-01-05T09:00","people":["ada"]}}]}`

// against configures a resource for a control room that answers reads with this text and notes what changes it.
func against(t *testing.T, one resource.Resource, status int, text string) (schema.Schema, *[]string) {
	t.Helper()
	ctx, changes := context.Background(), &[]string{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet {
			body, _ := io.ReadAll(r.Body)
			*changes = append(*changes, r.Method+" "+r.URL.Path+" "+string(body))
			_, _ = io.WriteString(w, "{}")
			return
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, text)
	}))
	t.Cleanup(server.Close)
	configured := one.(resource.ResourceWithConfigure)
	configured.Configure(ctx, resource.ConfigureRequest{ProviderData: lab.New(server.URL, "http://127.0.0.1:1")}, &resource.ConfigureResponse{})
	var answer resource.SchemaResponse
	one.Schema(ctx, resource.SchemaRequest{}, &answer)
	return answer.Schema, changes
}

// named is a value of the schema with these texts and nothing else.
func named(shape schema.Schema, texts map[string]string) tftypes.Value {
	ctx := context.Background()
	values := map[string]tftypes.Value{}
	for name, attribute := range shape.Attributes {
		values[name] = tftypes.NewValue(attribute.GetType().TerraformType(ctx), nil)
	}
	for name, text := range texts {
		values[name] = tftypes.NewValue(tftypes.String, text)
	}
	return tftypes.NewValue(shape.Type().TerraformType(ctx), values)
}

func refreshed(t *testing.T, one resource.Resource, before tfsdk.State) tfsdk.State {
	t.Helper()
	answer := resource.ReadResponse{State: before}
	one.Read(context.Background(), resource.ReadRequest{State: before}, &answer)
	if answer.Diagnostics.HasError() {
		t.Fatal(answer.Diagnostics)
	}
	return answer.State
}

func TestAnImportedScheduleHasWhatTheControlRoomHas(t *testing.T) {
	one := newSchedule()
	shape, _ := against(t, one, http.StatusOK, `{"schedule":`+nights+`,"owner":"api","in_force":true}`)
	imported := tfsdk.State{Schema: shape, Raw: named(shape, map[string]string{"name": "nights"})}
	var model scheduleModel
	if problems := refreshed(t, one, imported).Get(context.Background(), &model); problems.HasError() {
		t.Fatal(problems)
	}
	if model.Name != "nights" || model.Zone != "UTC" || model.Fallback != nil || model.Temporary != nil || len(model.Layers) != 1 {
		t.Fatal(model)
	}
	if layer := model.Layers[0]; layer.Only != nil || layer.Rotation.Every != nil || layer.Rotation.People[0] != "ada" {
		t.Fatal(layer)
	}
}

func TestAnEmptyListOfTheControlRoomIsNone(t *testing.T) {
	one := newGuardrail()
	shape, _ := against(t, one, http.StatusOK, `{"name":"freeze","why":"the audit","verbs":[],"targets":["edge"],"runbooks":[],"by":"ada"}`)
	imported := tfsdk.State{Schema: shape, Raw: named(shape, map[string]string{"name": "freeze"})}
	var model guardrailModel
	if problems := refreshed(t, one, imported).Get(context.Background(), &model); problems.HasError() {
		t.Fatal(problems)
	}
	if model.Verbs != nil || model.Runbooks != nil || len(model.Targets) != 1 || model.Why != "the audit" {
		t.Fatal(model)
	}
}

func TestWhatTheFileHasOrNobodyIsGone(t *testing.T) {
	for status, text := range map[int]string{
		http.StatusOK:       `{"policy":{"name":"major","steps":[]},"owner":"file"}`,
		http.StatusNotFound: `{"title":"Not found"}`,
	} {
		one := newPolicy()
		shape, _ := against(t, one, status, text)
		before := tfsdk.State{Schema: shape, Raw: named(shape, map[string]string{"name": "major"})}
		if after := refreshed(t, one, before); !after.Raw.IsNull() {
			t.Error(status, after.Raw)
		}
	}
}

func TestWhatSomebodyElseDeclaredIsNotReplaced(t *testing.T) {
	one := newGuardrail()
	create := func(status int, text string) (resource.CreateResponse, []string) {
		shape, changes := against(t, one, status, text)
		plan := tfsdk.Plan{Schema: shape, Raw: named(shape, map[string]string{"name": "freeze", "why": "the audit"})}
		nothing := tftypes.NewValue(shape.Type().TerraformType(context.Background()), nil)
		answer := resource.CreateResponse{State: tfsdk.State{Schema: shape, Raw: nothing}}
		one.Create(context.Background(), resource.CreateRequest{Plan: plan}, &answer)
		return answer, *changes
	}
	taken, changes := create(http.StatusOK, `{"name":"freeze","why":"a migration"}`)
	if !taken.Diagnostics.HasError() || !strings.Contains(taken.Diagnostics.Errors()[0].Detail(), "Import it") || len(changes) != 0 {
		t.Fatal(taken.Diagnostics, changes)
	}
	made, changes := create(http.StatusNotFound, `{}`)
	wanted := `PUT /api/v1/automation/guardrails/freeze {"why":"the audit"}`
	if made.Diagnostics.HasError() || len(changes) != 1 || changes[0] != wanted {
		t.Fatal(made.Diagnostics, changes)
	}
}
