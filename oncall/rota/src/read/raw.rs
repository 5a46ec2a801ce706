//! The shape of `oncall.yaml`, field by field; every value knows its line. Unknown fields are refused.

use serde::Deserialize;
use serde_saphyr::Spanned;

pub(super) type Text = Spanned<String>;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Document {
    pub(super) people: Spanned<Vec<Spanned<Person>>>,
    pub(super) schedules: Spanned<Vec<Spanned<Schedule>>>,
    #[serde(default)]
    pub(super) policies: Vec<Spanned<Policy>>,
    #[serde(default)]
    pub(super) webhooks: Vec<Spanned<Webhook>>,
}

/// What is read together with a file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Extra {
    #[serde(default)]
    pub(super) schedules: Vec<Spanned<Schedule>>,
    #[serde(default)]
    pub(super) policies: Vec<Spanned<Policy>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Person {
    pub(super) name: Text,
    pub(super) title: Option<Text>,
    pub(super) zone: Text,
    #[serde(default)]
    pub(super) contacts: Vec<Spanned<Contact>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Contact {
    pub(super) kind: Text,
    pub(super) to: Option<Text>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Webhook {
    pub(super) name: Text,
    pub(super) url: Text,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Schedule {
    pub(super) name: Text,
    pub(super) zone: Text,
    pub(super) fallback: Option<Text>,
    #[serde(default)]
    pub(super) layers: Vec<Spanned<Layer>>,
    #[serde(default)]
    pub(super) overrides: Vec<Spanned<Override>>,
    #[serde(default)]
    pub(super) temporary: Vec<Spanned<Temporary>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Layer {
    pub(super) name: Text,
    pub(super) zone: Option<Text>,
    pub(super) rotation: Spanned<Rotation>,
    pub(super) only: Option<Spanned<Vec<Spanned<Window>>>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rotation {
    pub(super) unit: Text,
    pub(super) every: Option<Spanned<u32>>,
    pub(super) start: Text,
    pub(super) people: Spanned<Vec<Text>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Window {
    pub(super) days: Option<Spanned<Vec<Text>>>,
    pub(super) from: Text,
    pub(super) until: Text,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Override {
    pub(super) add: Option<Text>,
    pub(super) remove: Option<Text>,
    pub(super) replace: Option<Text>,
    pub(super) with: Option<Text>,
    pub(super) from: Text,
    pub(super) until: Text,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Temporary {
    pub(super) from: Text,
    pub(super) until: Text,
    pub(super) shifts: Spanned<Vec<Spanned<Fixed>>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Fixed {
    pub(super) person: Text,
    pub(super) from: Text,
    pub(super) until: Text,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Policy {
    pub(super) name: Text,
    #[serde(default)]
    pub(super) severities: Vec<Text>,
    pub(super) repeat: Option<Spanned<u32>>,
    pub(super) ack_expires: Option<Text>,
    pub(super) steps: Spanned<Vec<Spanned<Step>>>,
}

/// Exactly one field is set.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Step {
    pub(super) wait: Option<Text>,
    pub(super) notify_person: Option<Text>,
    pub(super) notify_schedule: Option<Text>,
    pub(super) notify_round_robin: Option<Spanned<Vec<Text>>>,
    pub(super) only_during: Option<Spanned<Gate>>,
    pub(super) only_after: Option<Spanned<Threshold>>,
    pub(super) webhook: Option<Text>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Gate {
    pub(super) zone: Text,
    pub(super) windows: Spanned<Vec<Spanned<Window>>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Threshold {
    pub(super) alerts: Spanned<u32>,
    pub(super) within: Text,
}
