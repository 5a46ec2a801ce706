package provider

import (
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"

	"github.com/sre-lab/terraform-provider-srelab/internal/lab"
)

// Who is on call, in a schedule that is not in oncall.yaml.
func newSchedule() resource.Resource {
	return &declared[scheduleModel]{
		base: base{name: "oncall_schedule"}, kind: lab.Schedules, attributes: ofSchedule(),
		about:  "An on-call schedule beside those of oncall.yaml. Its people are that file's.",
		called: func(model *scheduleModel) *string { return &model.Name },
	}
}

type scheduleModel struct {
	Name      string           `tfsdk:"name" json:"-"`
	Zone      string           `tfsdk:"zone" json:"zone"`
	Fallback  *string          `tfsdk:"fallback" json:"fallback,omitempty"`
	Layers    []layerModel     `tfsdk:"layers" json:"layers,omitempty"`
	Temporary []temporaryModel `tfsdk:"temporary" json:"temporary,omitempty"`
}

type layerModel struct {
	Name     string        `tfsdk:"name" json:"name"`
	Zone     *string       `tfsdk:"zone" json:"zone,omitempty"`
	Rotation rotationModel `tfsdk:"rotation" json:"rotation"`
	Only     []windowModel `tfsdk:"only" json:"only,omitempty"`
}

type rotationModel struct {
	Unit   string   `tfsdk:"unit" json:"unit"`
	Every  *int64   `tfsdk:"every" json:"every,omitempty"`
	Start  string   `tfsdk:"start" json:"start"`
	People []string `tfsdk:"people" json:"people"`
}

type windowModel struct {
	Days  []string `tfsdk:"days" json:"days,omitempty"`
	From  string   `tfsdk:"from" json:"from"`
	Until string   `tfsdk:"until" json:"until"`
}

type temporaryModel struct {
	From   string       `tfsdk:"from" json:"from"`
	Until  string       `tfsdk:"until" json:"until"`
	Shifts []shiftModel `tfsdk:"shifts" json:"shifts"`
}

type shiftModel struct {
	Person string `tfsdk:"person" json:"person"`
	From   string `tfsdk:"from" json:"from"`
	Until  string `tfsdk:"until" json:"until"`
}

func ofSchedule() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"zone":     requiredText("Zone of times without an offset, such as Europe/Berlin."),
		"fallback": optionalText("Who is primary whenever no layer is."),
		"layers": schema.ListNestedAttribute{
			Optional: true, Description: "From the lowest to the highest: the highest that counts wins.",
			NestedObject: nested(ofLayer()),
		},
		"temporary": schema.ListNestedAttribute{
			Optional: true, Description: "Spans in which fixed shifts replace the layers.",
			NestedObject: nested(map[string]schema.Attribute{
				"from":  requiredText("Its begin: a wall time in the schedule's zone, or a time with an offset."),
				"until": requiredText("Its end, exclusively."),
				"shifts": schema.ListNestedAttribute{
					Required: true, Description: "They follow one another from its begin to its end.",
					NestedObject: nested(map[string]schema.Attribute{
						"person": requiredText("Who is primary."),
						"from":   requiredText("Its begin."),
						"until":  requiredText("Its end, exclusively."),
					}),
				},
			}),
		},
	}
}

func ofLayer() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"name": requiredText("Its name within the schedule."),
		"zone": optionalText("Its zone, if it is another than the schedule's."),
		"rotation": schema.SingleNestedAttribute{
			Required: true, Description: "Who takes turns.",
			Attributes: map[string]schema.Attribute{
				"unit":   requiredText("hour, day, week or month."),
				"every":  schema.Int64Attribute{Optional: true, Description: "Units per turn, 1 to 1000; 1 by default."},
				"start":  requiredText("A hand-off to the first person, in wall time, such as 2026-01-05T09:00."),
				"people": requiredTexts("Names of oncall.yaml, in order."),
			},
		},
		"only": schema.ListNestedAttribute{
			Optional: true, Description: "When it counts; always by default.", NestedObject: nested(ofWindow()),
		},
	}
}

func ofWindow() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"days":  optionalTexts("Days or ranges of days, such as mon-fri; all by default."),
		"from":  requiredText("Hours and minutes, such as 09:00."),
		"until": requiredText("The next day, unless it is later than `from`."),
	}
}
