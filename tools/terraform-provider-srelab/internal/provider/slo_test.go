package provider

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
)

const checkout = `{"name":"checkout","service":"order-api","owner":"shop","promise":"It works.","reason":"It has to.",` +
	`"indicator":"order-availability","objective":0.995,"window":"7d"}`

func TestAnImportedObjectiveIsSentAsItWasRead(t *testing.T) {
	ctx, one := context.Background(), newSLO()
	shape, changes := against(t, one, http.StatusOK, `{"slo":`+checkout+`,"owner":"api","in_force":true,"state":null}`)
	imported := tfsdk.State{Schema: shape, Raw: named(shape, map[string]string{"name": "checkout"})}
	state := refreshed(t, one, imported)
	var model sloModel
	if problems := state.Get(ctx, &model); problems.HasError() {
		t.Fatal(problems)
	}
	if model.Name != "checkout" || model.Objective != "0.995" || *model.Indicator != "order-availability" || model.Good != nil {
		t.Fatal(model)
	}
	answer := resource.UpdateResponse{State: state}
	one.Update(ctx, resource.UpdateRequest{Plan: tfsdk.Plan{Schema: shape, Raw: state.Raw}, State: state}, &answer)
	wanted := `PUT /api/v1/slos/checkout {"service":"order-api","owner":"shop","promise":"It works.","reason":"It has to.",` +
		`"indicator":"order-availability","window":"7d","objective":0.995}`
	if answer.Diagnostics.HasError() || len(*changes) != 1 || (*changes)[0] != wanted {
		t.Fatal(answer.Diagnostics, *changes)
	}
}

func TestAnObjectiveKeepsHowItIsWrittenWhileItIsTheSame(t *testing.T) {
	one := newSLO()
	shape, _ := against(t, one, http.StatusOK, `{"slo":`+checkout+`,"owner":"api"}`)
	before := tfsdk.State{Schema: shape, Raw: named(shape, map[string]string{
		"name": "checkout", "service": "order-api", "owner": "shop", "promise": "It works.", "reason": "It has to.",
		"indicator": "order-availability", "objective": "0.9950", "window": "7d",
	})}
	if after := refreshed(t, one, before); !after.Raw.Equal(before.Raw) {
		t.Fatal(after.Raw)
	}
}

func TestAnObjectiveThatIsNoNumberIsNamed(t *testing.T) {
	if _, err := json.Marshal(sloModel{Objective: "high"}); err == nil || !strings.Contains(err.Error(), `found "high"`) {
		t.Fatal(err)
	}
}
