//! The result of one verification, and the tables and reports of many.

use std::{collections::BTreeMap, time::Duration};

use chrono::{DateTime, Utc};
use drill::Drill;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    commands::drill::{card, text::clock, view::Failure},
    terminal::{Row, out},
};

/// The verdict of a drill that needs what this lab does not have.
pub(super) const SKIPPED: &str = "skipped";

/// One verification.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Proof {
    pub(crate) drill: String,
    /// In one word; `refused` if it could not begin, `skipped` if this lab does not have what the drill needs.
    pub(crate) verdict: String,
    /// The run; absent if it could not begin.
    pub(crate) run: Option<i64>,
    /// What decided what the faults hit.
    pub(crate) seed: u64,
    /// From the start until the system was clean again.
    pub(crate) seconds: f64,
    /// Pages that the drill states.
    pub(crate) pages: Vec<Seen>,
    /// Signals and nodes of the causal path.
    pub(crate) sightings: Vec<Seen>,
    /// Where the time went.
    pub(crate) laps: Vec<Lap>,
    /// What it cost people, by the name of the measure; empty unless action items are compared.
    pub(crate) measures: BTreeMap<String, f64>,
    /// What was not met.
    pub(crate) failures: Vec<Failure>,
    /// Why it could not begin, or be followed to its end.
    pub(crate) refused: Option<String>,
    /// How the same drill failed before, beside other labs, if this is the proof of it alone.
    pub(crate) beside: Option<String>,
}

/// Something that has to be seen, and when it was.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Seen {
    pub(crate) name: String,
    /// Seconds after the injection.
    pub(crate) within: f64,
    /// Seconds after the injection; absent if never.
    pub(crate) after: Option<f64>,
}

/// A part of a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Lap {
    /// As the control room names it, such as `wrong action 1`.
    pub(crate) name: String,
    pub(crate) seconds: f64,
}

impl Proof {
    pub(crate) fn passed(&self) -> bool {
        self.verdict == "passed"
    }

    /// Whether it was left out because of what this lab does not have.
    pub(crate) fn skipped(&self) -> bool {
        self.verdict == SKIPPED
    }

    /// Whether it is neither a proof nor left out.
    pub(super) fn failed(&self) -> bool {
        !self.passed() && !self.skipped()
    }

    /// Its verdict, and the first reason: `failed: no alert fires (expected: none; seen: Burn)`.
    pub(crate) fn why(&self) -> String {
        let first = self.failures.first();
        let failure =
            first.map(|one| format!(": {} (expected: {}; seen: {})", one.condition, one.expected, one.seen));
        let refused = self.refused.as_ref().map(|why| format!(": {why}"));
        format!("{}{}", self.verdict, failure.or(refused).unwrap_or_default())
    }

    /// Prints what was not met.
    pub(crate) fn print_failures(&self) {
        if let Some(refused) = &self.refused {
            out!("  {refused}");
        }
        card::failures(&self.failures);
    }

    /// One line, as soon as it is known.
    pub(crate) fn row(&self, width: usize) -> Row {
        Row::new()
            .text(format_args!("{:width$}  ", self.drill))
            .painted(&card::paint(&self.verdict), format_args!("{:8}", self.verdict))
            .text(format_args!("  {:>5.0} s  {}", self.seconds, self.paged()))
    }

    fn paged(&self) -> String {
        self.pages.iter().map(Seen::words).collect::<Vec<_>>().join(", ")
    }
}

impl Seen {
    /// `OrderAvailabilityBudgetBurn 2.3 s of 20 s`
    pub(crate) fn words(&self) -> String {
        let after = self.after.map_or_else(|| "never".to_owned(), |after| format!("{after:.1} s"));
        format!("{} {after} of {:.0} s", self.name, self.within)
    }
}

/// The drill of a proof with this name: `noon` of `noon with canary`.
pub(super) fn base(name: &str) -> &str {
    name.split(' ').next().unwrap_or(name)
}

/// When each page came that a drill states, by the truth about a run.
pub(super) fn pages(drill: &Drill, truth: &Value) -> Vec<Seen> {
    let injected = time(&truth["injected_at"]);
    let notices = truth["notices"].as_array().map_or(&[][..], Vec::as_slice);
    let first = |alert: &str, service: &str| {
        let is = |notice: &&Value| {
            notice["alert"] == alert
                && notice["service"] == service
                && notice["page"] == true
                && notice["firing"] == true
        };
        notices.iter().filter(is).filter_map(|notice| time(&notice["at"])).min()
    };
    drill
        .pages
        .expected
        .iter()
        .map(|page| {
            let after = first(&page.alert, &page.service).zip(injected);
            Seen {
                name: page.alert.clone(),
                within: page.within.as_secs_f64(),
                after: after.map(|(at, from)| (at - from).as_seconds_f64()),
            }
        })
        .collect()
}

/// When each signal and node was seen, by the truth about a run.
pub(super) fn sightings(truth: &Value) -> Vec<Seen> {
    let lists = ["signals", "path"].into_iter().filter_map(|name| truth[name].as_array());
    let seen = |one: &Value| {
        Some(Seen {
            name: one["name"].as_str()?.to_owned(),
            within: one["within"].as_f64()?,
            after: one["seen"].as_f64(),
        })
    };
    lists.flatten().filter_map(seen).collect()
}

pub(crate) fn time(value: &Value) -> Option<DateTime<Utc>> {
    value.as_str()?.parse().ok()
}

/// The table at the end, in Markdown, for people and for reports.
pub(super) fn table(proofs: &[Proof]) -> String {
    let mut page =
        String::from("| drill | verdict | pages: measured of stated | took |\n|---|---|---|---|\n");
    for proof in proofs {
        page.push_str(&format_row(proof));
    }
    page
}

fn format_row(proof: &Proof) -> String {
    let pages = if proof.pages.is_empty() { "-".to_owned() } else { proof.paged() };
    let alone = if proof.beside.is_some() { " alone" } else { "" };
    format!("| {} | {}{alone} | {pages} | {:.0} s |\n", proof.drill, proof.verdict, proof.seconds)
}

/// The table at the end, on the terminal; `took` is the time of all.
pub(super) fn print(proofs: &[Proof], took: Duration) {
    let width = proofs.iter().map(|proof| proof.drill.len()).max().unwrap_or(0);
    out!("");
    out!("{:width$}  {:8}  {:>7}  PAGES: MEASURED OF STATED", "DRILL", "VERDICT", "TOOK");
    proofs.iter().for_each(|proof| proof.row(width).print());
    let passed = proofs.iter().filter(|proof| proof.passed()).count();
    out!("");
    let skipped: Vec<&Proof> = proofs.iter().filter(|proof| proof.skipped()).collect();
    out!("{passed} of {} passed in {}", proofs.len() - skipped.len(), clock(took.as_secs_f64()));
    for proof in skipped {
        out!("SKIPPED {}: {}", proof.drill, proof.refused.as_deref().unwrap_or_default());
    }
}

/// What was seen of each drill, on the terminal.
pub(super) fn print_timings(proofs: &[Proof]) {
    for proof in proofs {
        out!("");
        out!("{}", proof.drill);
        for seen in proof.pages.iter().chain(&proof.sightings) {
            let after = seen.after.map_or_else(|| "never".to_owned(), |after| format!("{after:.1} s"));
            out!("  {:36}  {after:>8} of {:>4.0} s", seen.name, seen.within);
        }
    }
}

/// What was seen of each drill, in Markdown.
pub(super) fn timings(proofs: &[Proof]) -> String {
    let mut page = String::from("| drill | what | seen after | stated within |\n|---|---|---|---|\n");
    for proof in proofs {
        for seen in proof.pages.iter().chain(&proof.sightings) {
            let after = seen.after.map_or_else(|| "never".to_owned(), |after| format!("{after:.1} s"));
            page.push_str(&format!("| {} | {} | {after} | {:.0} s |\n", proof.drill, seen.name, seen.within));
        }
    }
    page
}

#[cfg(test)]
pub(crate) mod tests {
    use std::path::Path;

    use serde_json::json;

    use super::*;
    use crate::commands::drill::{files, verify::junit};

    pub(crate) fn proof(pages: Vec<Seen>) -> Proof {
        Proof {
            drill: "first-page".to_owned(),
            verdict: "passed".to_owned(),
            run: Some(1),
            seed: 7,
            seconds: 74.2,
            pages,
            sightings: Vec::new(),
            laps: Vec::new(),
            measures: BTreeMap::new(),
            failures: Vec::new(),
            refused: None,
            beside: None,
        }
    }

    #[test]
    fn a_page_is_timed_from_the_injection_and_compared_with_what_is_stated() {
        let drills = files::all(&Path::new(env!("CARGO_MANIFEST_DIR")).join("..")).unwrap();
        let notice = |at: &str, service: &str, firing: bool| {
            let alert = "OrderAvailabilityBudgetBurn";
            json!({ "at": at, "alert": alert, "service": service, "page": true, "firing": firing })
        };
        let truth = json!({
            "injected_at": "2026-11-21T10:00:00Z",
            "notices": [
                notice("2026-11-21T10:00:01Z", "user-service", true),
                notice("2026-11-21T10:00:09Z", "order-api", true),
                notice("2026-11-21T10:00:03.500Z", "order-api", true),
                notice("2026-11-21T10:00:02Z", "order-api", false),
            ],
            "signals": [{ "name": "errors", "within": 15.0, "seen": 2.0 }],
            "path": [{ "name": "x", "within": 9.0, "seen": null }],
        });
        let seen = pages(&drills["first-page"], &truth);
        assert_eq!(seen[0].after, Some(3.5));
        assert_eq!(proof(seen).paged(), "OrderAvailabilityBudgetBurn 3.5 s of 20 s");
        let sightings = sightings(&truth);
        assert_eq!((sightings[0].after, sightings[1].after), (Some(2.0), None));
        assert!(timings(&[Proof { sightings, ..proof(Vec::new()) }]).contains("| x | never | 9 s |"));
        let never = pages(&drills["first-page"], &json!({}));
        assert_eq!(never[0].after, None);
        assert_eq!(format_row(&proof(Vec::new())), "| first-page | passed | - | 74 s |\n");
        let alone = Proof { beside: Some("failed".to_owned()), ..proof(Vec::new()) };
        assert_eq!(format_row(&alone), "| first-page | passed alone | - | 74 s |\n");
    }

    #[test]
    fn a_drill_that_was_skipped_is_no_failure_and_no_proof() {
        let xml = junit::skipped("one-of-three", "it needs 3 replicas");
        assert!(xml.contains("failures=\"0\" skipped=\"1\"") && xml.contains("<skipped message="), "{xml}");
        let left = Proof { verdict: SKIPPED.to_owned(), ..proof(Vec::new()) };
        assert!(left.skipped() && !left.passed());
    }
}
