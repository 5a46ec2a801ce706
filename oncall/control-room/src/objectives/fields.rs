//! What a declared objective says, and what it means: the reader and the checks are those of the files in `dashboards/slos`.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use slo::{
    Catalogue, Problem, Slo,
    spec::{OWNER, PROMISE, REASON},
};
use utoipa::ToSchema;

use crate::error::{Error, Result};

/// An objective, as a file of dashboards/slos has it, without its name. What is counted is either `indicator`, or `total`
/// with `good` or `bad`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ObjectiveFields {
    /// Its name in sentences; its name, if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The service that keeps it.
    pub service: String,
    /// The team that is responsible for it.
    pub owner: String,
    /// The promise to users, in a sentence.
    pub promise: String,
    /// Why the objective is as high as it is.
    pub reason: String,
    /// What is measured, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// An objective of dashboards/slos whose events are counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub indicator: Option<String>,
    /// PromQL selector of the counter of good events, without rate and range.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub good: Option<String>,
    /// PromQL selector of the counter of bad events.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bad: Option<String>,
    /// PromQL selector of the counter of all events.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<String>,
    /// Share of good events, above 0 and below 1, such as 0.999.
    pub objective: f64,
    /// The time over which the budget is counted, such as 30d, as in production; it is rolling.
    pub window: String,
}

/// What a document says of the events, and the objective whose indicator it is.
struct Counted<'s> {
    ratio: Value,
    indicator: Option<&'s Slo>,
}

impl ObjectiveFields {
    /// The objective, checked as a file is; `files` are those that an indicator may name.
    ///
    /// # Errors
    /// Each field that is wrong.
    pub(super) fn read(&self, name: &str, files: &[Slo], metrics: &Catalogue) -> Result<Slo> {
        let Counted { ratio, indicator } = self.counted(files)?;
        let wrong = |problems: Vec<Problem>| {
            Error::Fields(problems.into_iter().map(|one| (self.field(&one.field), one.message)).collect())
        };
        // JSON is YAML.
        let text = self.document(name, &ratio).to_string();
        let mut slo = slo::spec::read("the API", &text).map_err(|problems| wrong(problems.0))?;
        if let Some(indicator) = indicator {
            slo.sli = indicator.sli.clone();
            slo.minimum_errors = indicator.minimum_errors;
        }
        let lints = slo::lint::errors(&slo, metrics);
        if lints.is_empty() { Ok(slo) } else { Err(wrong(lints)) }
    }

    fn counted<'s>(&self, files: &'s [Slo]) -> Result<Counted<'s>> {
        let ratio = |part: &str, of: &str, total: &str| {
            let source =
                |query: &str| json!({ "metricSource": { "type": "Prometheus", "spec": { "query": query } } });
            json!({ "counter": true, part: source(of), "total": source(total) })
        };
        match (&self.indicator, &self.good, &self.bad, &self.total) {
            (Some(name), None, None, None) => {
                let Some(indicator) = files.iter().find(|slo| slo.name == *name) else {
                    let known: Vec<&str> = files.iter().map(|slo| slo.name.as_str()).collect();
                    let expected =
                        format!("`{name}` is no objective of a file: expected one of {}", known.join(", "));
                    return Err(Error::field("/indicator", expected));
                };
                if indicator.service != self.service {
                    let expected = format!(
                        "expected `{}`, whose events {name} counts, found `{}`",
                        indicator.service, self.service
                    );
                    return Err(Error::field("/service", expected));
                }
                // The reader wants a ratio; what is counted is taken from the file, which may have another kind.
                let selectors = indicator.sli.selectors();
                let text = |at: usize| selectors.get(at).map(ToString::to_string).unwrap_or_default();
                Ok(Counted { ratio: ratio("good", &text(0), &text(1)), indicator: Some(indicator) })
            }
            (None, Some(good), None, Some(total)) => {
                Ok(Counted { ratio: ratio("good", good, total), indicator: None })
            }
            (None, None, Some(bad), Some(total)) => {
                Ok(Counted { ratio: ratio("bad", bad, total), indicator: None })
            }
            _ => {
                let expected = "expected the name of an objective of a file; or, in its place, `total` with `good` or `bad`";
                Err(Error::field("/indicator", expected))
            }
        }
    }

    /// As OpenSLO has it.
    fn document(&self, name: &str, ratio: &Value) -> Value {
        let title = self.title.as_deref().filter(|title| !title.trim().is_empty());
        json!({
            "apiVersion": "openslo/v1",
            "kind": "SLO",
            "metadata": {
                "name": name,
                "displayName": title.unwrap_or(name),
                "annotations": { OWNER: self.owner, PROMISE: self.promise, REASON: self.reason },
            },
            "spec": {
                "description": self.description.as_deref().unwrap_or_default(),
                "service": self.service,
                "indicator": { "spec": { "ratioMetric": ratio } },
                "timeWindow": [{ "duration": self.window, "isRolling": true }],
                "budgetingMethod": "Occurrences",
                "objectives": [{ "target": self.objective }],
            },
        })
    }

    /// The field of the request that a field of the document is; the name is in the path.
    fn field(&self, path: &str) -> String {
        let annotation = path.strip_prefix("metadata.annotations.sre-lab/");
        let found = match path {
            "metadata.name" => return "slo".to_owned(),
            "spec.service" => "service",
            _ if path.starts_with("spec.objectives") => "objective",
            _ if path.starts_with("spec.timeWindow") => "window",
            _ if path.starts_with("spec.indicator") && self.indicator.is_some() => "indicator",
            _ => ["good", "bad", "total"]
                .into_iter()
                .find(|part| path.starts_with(&format!("spec.indicator.spec.ratioMetric.{part}")))
                .or(annotation)
                .unwrap_or("total"),
        };
        format!("/{found}")
    }
}
