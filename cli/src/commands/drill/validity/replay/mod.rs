//! Whether a proof would notice a blind detection. The series that a run recorded are replayed through the
//! rules that Prometheus has loaded, by promtool, which is Prometheus's own rule engine: first as they are,
//! and then with an alert deleted, a threshold out of reach, a metric gone. What the drill states must be
//! seen with the first, and not with any of the others.
//!
//! Nothing in the running lab is touched, so nothing can be left behind, and one run is judged as often as
//! there are mutations.

mod raise;
mod rules;
mod scan;
mod series;

use std::{collections::BTreeSet, path::PathBuf, process::Stdio};

use anyhow::{Context as _, Result, bail};
use chrono::{DateTime, TimeDelta, Utc};
use drill::Drill;
use observe::{Peer, Prometheus};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::process::Command;

use self::{
    rules::{Mutation, Rule},
    series::Recorded,
};
use crate::{
    commands::drill::{verify::proof, view::View},
    parts::programs,
};

/// How much later than stated something may be seen here: scrapes are not on whole seconds.
const GRACE: i64 = 2;
/// How long before the injection nothing may be seen.
const BEFORE: i64 = 10;

/// What came of one mutation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Mutant {
    /// What was mutated.
    pub(crate) what: String,
    pub(crate) fate: Fate,
}

/// Whether a proof would notice it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Fate {
    /// It would fail.
    Noticed,
    /// It would pass: the drill proves less than it says.
    Survived,
    /// There is no threshold to raise.
    NotApplicable,
}

/// When a run happened.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Times {
    pub(crate) started: DateTime<Utc>,
    pub(crate) injected: DateTime<Utc>,
}

/// Something that the drill states: a query that returns something in time, and nothing before.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Stated {
    query: String,
    within: i64,
}

/// Judges every mutation of the detection of a drill by a run of it.
///
/// # Errors
/// When promtool is missing, or the replay does not show what the run showed.
pub(crate) async fn judge(prometheus: &Peer, drill: &Drill, times: Times) -> Result<Vec<Mutant>> {
    let promtool = programs::need(&["promtool"], "promtool, which belongs to Prometheus,")?;
    let stated = stated(drill);
    let queries: Vec<String> = stated.iter().map(|one| one.query.clone()).collect();
    let needed = rules::needed(&rules::loaded(prometheus).await?, &queries);
    let injected = (times.injected - times.started).num_seconds();
    let last = injected + GRACE + stated.iter().map(|one| one.within).max().unwrap_or_default();
    let seconds = usize::try_from(last).context("the run began after its injection")?;
    let client = Prometheus::at(prometheus.clone());
    let recorded = series::recorded(&client, &needed.raw, times.started, seconds).await?;
    let bench = Bench { promtool, folder: tempfile::tempdir()?, expected: expectations(&stated, injected) };
    if let Some(said) = bench.misses(&needed.rules, &recorded).await? {
        bail!("the replay does not show what the run showed, so it proves nothing: {said}");
    }
    let mut mutants = Vec::new();
    for mutation in mutations(drill) {
        let fate = match rules::mutated(&needed.rules, &mutation) {
            None => Fate::NotApplicable,
            Some(rules) => {
                let left: Vec<Recorded> = match &mutation {
                    Mutation::Gone(metric) => {
                        recorded.iter().filter(|series| !series.is_of(metric)).cloned().collect()
                    }
                    _ => recorded.clone(),
                };
                if bench.misses(&rules, &left).await?.is_some() { Fate::Noticed } else { Fate::Survived }
            }
        };
        mutants.push(Mutant { what: mutation.to_string(), fate });
    }
    Ok(mutants)
}

/// Everything that must be seen.
fn stated(drill: &Drill) -> Vec<Stated> {
    let pages = drill.pages.expected.iter().map(|page| {
        let query = format!(
            "ALERTS{{alertname=\"{}\", service=\"{}\", severity=\"page\", alertstate=\"firing\"}}",
            page.alert, page.service
        );
        (query, page.within)
    });
    let signals = drill.signals.iter().map(|signal| (signal.query.clone(), signal.within));
    let nodes = drill.path.iter().map(|node| (node.query.clone(), node.within));
    let all = pages.chain(signals).chain(nodes);
    all.map(|(query, within)| Stated {
        query,
        within: i64::try_from(within.as_secs()).unwrap_or(i64::MAX / 2),
    })
    .collect()
}

/// Each alert that the drill needs, deleted and raised; each metric of the causal path, gone.
fn mutations(drill: &Drill) -> BTreeSet<Mutation> {
    let mut all: BTreeSet<Mutation> =
        drill.path.iter().map(|node| Mutation::Gone(node.metric.clone())).collect();
    let mut alerts: Vec<String> = drill.pages.expected.iter().map(|page| page.alert.clone()).collect();
    let signals = drill.signals.iter().map(|signal| &signal.query);
    for query in signals.chain(drill.path.iter().map(|node| &node.query)) {
        alerts.extend(rules::alerts(query));
    }
    for alert in alerts {
        all.extend([Mutation::Deleted(alert.clone()), Mutation::Raised(alert)]);
    }
    // The alerts themselves are no metric that somebody exports.
    all.remove(&Mutation::Gone("ALERTS".to_owned()));
    all
}

/// Tests of expressions, as promtool reads them: 1 where something was seen.
fn expectations(stated: &[Stated], injected: i64) -> Vec<Value> {
    let expect = |query: &str, at: i64, back: i64, seen: u8| {
        let expr = format!("(count(last_over_time(({query})[{back}s:1s])) > bool 0) or vector(0)");
        let expected = json!([{ "labels": "{}", "value": seen }]);
        json!({ "expr": expr, "eval_time": format!("{at}s"), "exp_samples": expected })
    };
    let before = BEFORE.min(injected);
    let each = stated.iter().flat_map(|one| {
        let within = one.within + GRACE;
        let after = expect(&one.query, injected + within, within, 1);
        let earlier = (before > 0).then(|| expect(&one.query, injected, before, 0));
        [Some(after), earlier].into_iter().flatten()
    });
    each.collect()
}

/// The files of a replay.
struct Bench {
    promtool: PathBuf,
    folder: tempfile::TempDir,
    expected: Vec<Value>,
}

impl Bench {
    /// What is not seen as stated, as promtool says it; nothing if all is.
    async fn misses(&self, rules: &[Rule], recorded: &[Recorded]) -> Result<Option<String>> {
        let series: Vec<Value> = recorded.iter().map(Recorded::entry).collect();
        let test = json!({
            "rule_files": ["rules.json"], "evaluation_interval": "1s",
            "tests": [{ "interval": "1s", "input_series": series, "promql_expr_test": self.expected }],
        });
        self.write("rules.json", &rules::file(rules))?;
        let test = self.write("test.json", &test)?;
        let output = Command::new(&self.promtool)
            .args(["test", "rules"])
            .arg(test)
            // Another lab may be in a phase of which the time is measured: this may take one core, not all.
            .env("GOMAXPROCS", "1")
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output()
            .await
            .context("cannot run promtool")?;
        let said =
            format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        match (output.status.success(), said.contains("got:")) {
            (true, _) => Ok(None),
            (false, true) => Ok(Some(said.split_whitespace().collect::<Vec<_>>().join(" "))),
            (false, false) => bail!("promtool could not replay the run: {}", said.trim()),
        }
    }

    fn write(&self, name: &str, value: &Value) -> Result<PathBuf> {
        let path = self.folder.path().join(name);
        std::fs::write(&path, serde_json::to_vec(value)?)
            .with_context(|| format!("cannot write {}", path.display()))?;
        Ok(path)
    }
}

/// When a run began, and when the first fault was set; nothing if it never was.
pub(crate) fn times(run: &View) -> Option<Times> {
    // On whole seconds, as Prometheus is asked.
    let part = TimeDelta::nanoseconds(i64::from(run.started_at.timestamp_subsec_nanos()));
    let injected = proof::time(&run.truth()["injected_at"])?;
    Some(Times { started: run.started_at - part, injected })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::commands::drill::files;

    fn drills() -> std::collections::BTreeMap<String, Drill> {
        files::all(&Path::new(env!("CARGO_MANIFEST_DIR")).join("..")).unwrap()
    }

    #[test]
    fn every_alert_and_every_metric_of_a_drill_is_mutated() {
        let names: Vec<String> = mutations(&drills()["first-page"]).iter().map(ToString::to_string).collect();
        assert_eq!(
            names,
            [
                "HighErrorRate deleted",
                "OrderAvailabilityBudgetBurn deleted",
                "HighErrorRate raised",
                "OrderAvailabilityBudgetBurn raised",
                "http_requests_total gone"
            ]
        );
        for drill in drills().values().filter(|drill| !drill.is_quiet()) {
            assert!(!mutations(drill).is_empty(), "{}: a detection that can be mutated", drill.id);
        }
    }

    #[test]
    fn a_detection_is_expected_in_time_and_not_before() {
        let stated = [Stated { query: "up == 0".to_owned(), within: 15 }];
        let expected = expectations(&stated, 40);
        assert_eq!(expected[0]["eval_time"], "57s");
        assert_eq!(expected[0]["expr"], "(count(last_over_time((up == 0)[17s:1s])) > bool 0) or vector(0)");
        assert_eq!(
            (&expected[1]["eval_time"], &expected[1]["exp_samples"][0]["value"]),
            (&json!("40s"), &json!(0))
        );
        assert_eq!(expectations(&stated, 0).len(), 1, "a run without a baseline has no time before");
    }

    #[tokio::test]
    async fn a_replay_sees_what_was_recorded_and_misses_what_was_taken_away() {
        let Some(promtool) = programs::find(&["promtool"]) else { return };
        let rule = |text: Value| serde_json::from_value::<Rule>(text).unwrap();
        let rules = [
            rule(json!({ "type": "recording", "name": "bad:ratio", "query": "sum by (service) (bad)" })),
            rule(json!({
                "type": "alerting", "name": "Burn", "query": "bad:ratio > 5", "duration": 1.0,
                "labels": { "severity": "page" },
            })),
        ];
        let stated = [Stated {
            query: "ALERTS{alertname=\"Burn\", service=\"a\", severity=\"page\", alertstate=\"firing\"}"
                .to_owned(),
            within: 4,
        }];
        let bench =
            Bench { promtool, folder: tempfile::tempdir().unwrap(), expected: expectations(&stated, 12) };
        let recorded = [Recorded::of("bad", "a", [0.0; 13].into_iter().chain([9.0; 6]))];
        assert_eq!(bench.misses(&rules, &recorded).await.unwrap(), None);
        for mutation in [
            Mutation::Deleted("Burn".to_owned()),
            Mutation::Raised("Burn".to_owned()),
            Mutation::Gone("bad:ratio".to_owned()),
        ] {
            let mutated = rules::mutated(&rules, &mutation).unwrap();
            let said = bench.misses(&mutated, &recorded).await.unwrap();
            assert!(said.is_some_and(|said| said.contains("Burn")), "{mutation}");
        }
        let gone: [Recorded; 0] = [];
        assert!(bench.misses(&rules, &gone).await.unwrap().is_some(), "without the metric");
        let early = [Recorded::of("bad", "a", [9.0; 19])];
        assert!(
            bench.misses(&rules, &early).await.unwrap().is_some(),
            "what was there before proves nothing"
        );
    }
}
