package provider

import (
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"

	"github.com/sre-lab/terraform-provider-srelab/internal/lab"
)

// Who is notified next, by a policy that is not in oncall.yaml.
func newPolicy() resource.Resource {
	return &declared[policyModel]{
		base: base{name: "escalation_policy"}, kind: lab.Policies, attributes: ofPolicy(),
		about:  "An escalation policy beside those of oncall.yaml, for severities that none of them names.",
		called: func(model *policyModel) *string { return &model.Name },
	}
}

type policyModel struct {
	Name       string      `tfsdk:"name" json:"-"`
	Severities []string    `tfsdk:"severities" json:"severities,omitempty"`
	Repeat     *int64      `tfsdk:"repeat" json:"repeat,omitempty"`
	AckExpires *string     `tfsdk:"ack_expires" json:"ack_expires,omitempty"`
	Steps      []stepModel `tfsdk:"steps" json:"steps"`
}

type stepModel struct {
	Wait             *string         `tfsdk:"wait" json:"wait,omitempty"`
	NotifyPerson     *string         `tfsdk:"notify_person" json:"notify_person,omitempty"`
	NotifySchedule   *string         `tfsdk:"notify_schedule" json:"notify_schedule,omitempty"`
	NotifyRoundRobin []string        `tfsdk:"notify_round_robin" json:"notify_round_robin,omitempty"`
	OnlyDuring       *gateModel      `tfsdk:"only_during" json:"only_during,omitempty"`
	OnlyAfter        *thresholdModel `tfsdk:"only_after" json:"only_after,omitempty"`
	Webhook          *string         `tfsdk:"webhook" json:"webhook,omitempty"`
}

type gateModel struct {
	Zone    string        `tfsdk:"zone" json:"zone"`
	Windows []windowModel `tfsdk:"windows" json:"windows"`
}

type thresholdModel struct {
	Alerts int64  `tfsdk:"alerts" json:"alerts"`
	Within string `tfsdk:"within" json:"within"`
}

func ofPolicy() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"severities":  optionalTexts("SEV-1 to SEV-5; by default, those that no other policy names."),
		"repeat":      schema.Int64Attribute{Optional: true, Description: "How often the steps are done once more, at most 5; 0 by default."},
		"ack_expires": optionalText("How long an acknowledgement holds, such as 30m, as in production; until the end by default."),
		"steps": schema.ListNestedAttribute{
			Required: true, Description: "In order; at least one of them notifies. Exactly one attribute of each is set.",
			NestedObject: nested(ofStep()),
		},
	}
}

func ofStep() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"wait":               optionalText("Waits, such as 15m, as in production."),
		"notify_person":      optionalText("Notifies a person."),
		"notify_schedule":    optionalText("Notifies who is on call in a schedule."),
		"notify_round_robin": optionalTexts("Notifies one of several people, in turn."),
		"only_during": schema.SingleNestedAttribute{
			Optional: true, Description: "Waits until one of the windows is open.",
			Attributes: map[string]schema.Attribute{
				"zone": requiredText("Whose wall time they mean."),
				"windows": schema.ListNestedAttribute{
					Required: true, Description: "At least one.", NestedObject: nested(ofWindow()),
				},
			},
		},
		"only_after": schema.SingleNestedAttribute{
			Optional: true, Description: "Waits for alerts.",
			Attributes: map[string]schema.Attribute{
				"alerts": schema.Int64Attribute{Required: true, Description: "How many, at least 2."},
				"within": requiredText("Such as 5m, as in production."),
			},
		},
		"webhook": optionalText("Calls one of the webhooks of oncall.yaml."),
	}
}
