package provider

import (
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"

	"github.com/sre-lab/terraform-provider-srelab/internal/lab"
)

// What automation may not do, beside guardrails.yaml. Such a rule can only deny, so it never lets automation do more.
func newGuardrail() resource.Resource {
	return &declared[guardrailModel]{
		base: base{name: "guardrail"}, kind: lab.Guardrails, attributes: ofGuardrail(),
		about:  "A rule that denies acts of runbooks, beside those of guardrails.yaml. A denial wins over every other rule.",
		called: func(model *guardrailModel) *string { return &model.Name },
	}
}

type guardrailModel struct {
	Name     string   `tfsdk:"name" json:"-"`
	Why      string   `tfsdk:"why" json:"why"`
	Verbs    []string `tfsdk:"verbs" json:"verbs,omitempty"`
	Targets  []string `tfsdk:"targets" json:"targets,omitempty"`
	Runbooks []string `tfsdk:"runbooks" json:"runbooks,omitempty"`
}

func ofGuardrail() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"why":      requiredText("Why, in a sentence."),
		"verbs":    optionalTexts("Verbs of runbooks, such as restart; all by default."),
		"targets":  optionalTexts("Services, postgres, redis, alertmanager; all by default."),
		"runbooks": optionalTexts("Names of runbooks; all by default."),
	}
}
