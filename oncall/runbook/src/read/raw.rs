//! The shape of `runbooks/<Alert>.yaml` and of `guardrails.yaml`, field by field; every value knows its line. Unknown
//! fields are refused.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_saphyr::Spanned;

pub(super) type Text = Spanned<String>;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Document {
    pub(super) alert: Option<Text>,
    pub(super) title: Text,
    pub(super) services: Spanned<Vec<Text>>,
    #[serde(default)]
    pub(super) parameters: BTreeMap<String, Spanned<Parameter>>,
    #[serde(default)]
    pub(super) preconditions: Vec<Spanned<Precondition>>,
    pub(super) steps: Spanned<Vec<Spanned<Step>>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Parameter {
    pub(super) what: Text,
    #[serde(rename = "type")]
    pub(super) kind: Text,
    pub(super) of: Option<Spanned<Vec<Text>>>,
    pub(super) least: Option<Text>,
    pub(super) most: Option<Text>,
    pub(super) default: Option<Text>,
    pub(super) from: Option<Text>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Precondition {
    pub(super) name: Text,
    pub(super) what: Text,
    pub(super) promql: Option<Text>,
    pub(super) log: Option<Spanned<Log>>,
    pub(super) is: Text,
    pub(super) empty: Option<Text>,
}

/// Exactly one of the fields after `what` is set.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Step {
    pub(super) name: Text,
    pub(super) what: Text,
    pub(super) check: Option<Spanned<Check>>,
    pub(super) http: Option<Spanned<Http>>,
    pub(super) sql: Option<Spanned<Sql>>,
    pub(super) act: Option<Spanned<Act>>,
    pub(super) wait_until: Option<Spanned<Wait>>,
    pub(super) approve: Option<Spanned<Approve>>,
    pub(super) verify: Option<Spanned<Wait>>,
    pub(super) undo: Option<Text>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Log {
    pub(super) service: Text,
    pub(super) level: Option<Text>,
    pub(super) text: Option<Text>,
    pub(super) within: Text,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Check {
    pub(super) promql: Option<Text>,
    pub(super) log: Option<Spanned<Log>>,
    pub(super) is: Text,
    pub(super) empty: Option<Text>,
    pub(super) otherwise: Option<Text>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Http {
    pub(super) service: Text,
    pub(super) instance: Option<Text>,
    pub(super) path: Text,
    pub(super) status: Text,
    pub(super) otherwise: Option<Text>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sql {
    pub(super) query: Text,
    pub(super) database: Text,
    #[serde(default)]
    pub(super) with: BTreeMap<String, Text>,
    pub(super) rows: Option<Text>,
    pub(super) otherwise: Option<Text>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wait {
    pub(super) promql: Option<Text>,
    pub(super) log: Option<Spanned<Log>>,
    pub(super) is: Text,
    pub(super) empty: Option<Text>,
    #[serde(rename = "for")]
    pub(super) hold: Option<Text>,
    pub(super) within: Text,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Approve {
    pub(super) why: Text,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Act {
    pub(super) verb: Text,
    #[serde(default)]
    pub(super) with: BTreeMap<String, Text>,
    pub(super) blast_radius: Text,
    pub(super) idempotency_key: Text,
    pub(super) undo: Spanned<Undo>,
}

/// Either `nothing`, or a verb.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Undo {
    pub(super) nothing: Option<Text>,
    pub(super) verb: Option<Text>,
    #[serde(default)]
    pub(super) with: BTreeMap<String, Text>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Guardrails {
    #[serde(default)]
    pub(super) rules: Vec<Spanned<Rule>>,
    pub(super) limits: Limits,
    #[serde(default)]
    pub(super) minimum_healthy: BTreeMap<String, Spanned<u32>>,
    pub(super) breaker: Breaker,
    pub(super) quiet_hours: Option<Spanned<Quiet>>,
}

/// Rules from beside the file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rules {
    pub(super) rules: Vec<Spanned<Rule>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rule {
    pub(super) name: Text,
    pub(super) why: Text,
    pub(super) then: Text,
    #[serde(default)]
    pub(super) verbs: Vec<Text>,
    #[serde(default)]
    pub(super) targets: Vec<Text>,
    #[serde(default)]
    pub(super) runbooks: Vec<Text>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Limits {
    pub(super) per_target: Limit,
    pub(super) global: Limit,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Limit {
    pub(super) most: Spanned<u32>,
    pub(super) within: Text,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Breaker {
    pub(super) failed_verifies: Spanned<u32>,
    pub(super) within: Text,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Quiet {
    pub(super) zone: Text,
    pub(super) from: Text,
    pub(super) until: Text,
}
