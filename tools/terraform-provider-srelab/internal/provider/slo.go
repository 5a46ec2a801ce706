package provider

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"

	"github.com/sre-lab/terraform-provider-srelab/internal/lab"
)

// What a service promises, in an objective that is not in dashboards/slos.
func newSLO() resource.Resource {
	return &declared[sloModel]{
		base: base{name: "slo"}, kind: lab.Objectives, attributes: ofSLO(),
		about:  "A service level objective beside those of dashboards/slos. The control room measures it and alerts on its burn rate.",
		called: func(model *sloModel) *string { return &model.Name },
	}
}

type sloModel struct {
	Name        string  `tfsdk:"name" json:"-"`
	Title       *string `tfsdk:"title" json:"title,omitempty"`
	Service     string  `tfsdk:"service" json:"service"`
	Owner       string  `tfsdk:"owner" json:"owner"`
	Promise     string  `tfsdk:"promise" json:"promise"`
	Reason      string  `tfsdk:"reason" json:"reason"`
	Description *string `tfsdk:"description" json:"description,omitempty"`
	Indicator   *string `tfsdk:"indicator" json:"indicator,omitempty"`
	Good        *string `tfsdk:"good" json:"good,omitempty"`
	Bad         *string `tfsdk:"bad" json:"bad,omitempty"`
	Total       *string `tfsdk:"total" json:"total,omitempty"`
	Window      string  `tfsdk:"window" json:"window"`
	// A decimal fraction as text: Terraform compares numbers with 512 bits, and what is read back has 53.
	Objective string `tfsdk:"objective" json:"-"`
}

// MarshalJSON writes what the control room is sent, where the objective is a number.
func (m sloModel) MarshalJSON() ([]byte, error) {
	share, err := strconv.ParseFloat(m.Objective, 64)
	if err != nil {
		return nil, fmt.Errorf("objective: expected a share of good events, such as 0.999, found %q", m.Objective)
	}
	type plain sloModel
	return json.Marshal(struct {
		plain
		Objective float64 `json:"objective"`
	}{plain(m), share})
}

// UnmarshalJSON reads the same.
func (m *sloModel) UnmarshalJSON(text []byte) error {
	type plain sloModel
	var read struct {
		plain
		Objective float64 `json:"objective"`
	}
	if err := json.Unmarshal(text, &read); err != nil {
		return err
	}
	*m = sloModel(read.plain)
	m.Objective = strconv.FormatFloat(read.Objective, 'f', -1, 64)
	return nil
}

func ofSLO() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"title":       optionalText("Its name in sentences; its name by default."),
		"service":     requiredText("The service that keeps it."),
		"owner":       requiredText("The team that is responsible for it."),
		"promise":     requiredText("The promise to users, in a sentence."),
		"reason":      requiredText("Why the objective is as high as it is."),
		"description": optionalText("What is measured, in words."),
		"indicator":   optionalText("An objective of dashboards/slos whose events are counted. Otherwise set total, with good or bad."),
		"good":        optionalText("PromQL selector of the counter of good events, without rate and range."),
		"bad":         optionalText("PromQL selector of the counter of bad events."),
		"total":       optionalText("PromQL selector of the counter of all events."),
		"objective":   requiredText("Share of good events, above 0 and below 1, such as 0.999."),
		"window":      requiredText("The rolling time over which the budget is counted, such as 30d, as in production."),
	}
}
