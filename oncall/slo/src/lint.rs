//! What is legal in a spec but wrong: alerts that can never fire, metrics that do not exist, traffic that is too low, promises
//! that nobody looks at any more.

use chrono::NaiveDate;

use crate::{
    Catalogue, Clock, PAIRS, Problem, Sli, Slo,
    catalogue::Use,
    generate,
    spec::{REVIEW, SLA, THROUGHPUT},
    theory,
    window::{number, percent},
};

/// Everything that makes the rules of a spec useless.
#[must_use]
pub fn errors(slo: &Slo, catalogue: &Catalogue) -> Vec<Problem> {
    let mut found = Vec::new();
    let mut wrong = |field: &str, message: String| found.push(problem(slo, field, message));
    for pair in &PAIRS {
        let threshold = theory::threshold(pair, slo.budget());
        if threshold >= 1.0 {
            wrong(
                "spec.objectives[0].target",
                format!(
                    "with {} the alert of {}/{} can never fire: {} times a budget of {} is {}, and an error ratio cannot be \
                     above 100 %. Expected an objective above {}",
                    percent(slo.objective),
                    pair.long,
                    pair.short,
                    number(pair.factor),
                    percent(slo.budget()),
                    percent(threshold),
                    percent(1.0 - 1.0 / pair.factor),
                ),
            );
        }
    }
    for (field, checked) in metrics(slo, catalogue) {
        if let Err(message) = checked {
            wrong(&field, message);
        }
    }
    if let Some(message) = stricter(slo) {
        wrong(&format!("metadata.annotations.{SLA}"), message);
    }
    if let Some(message) = too_slow(slo) {
        wrong(&format!("metadata.annotations.{THROUGHPUT}"), message);
    }
    if let Err(message) = generate::testable(slo) {
        wrong("spec.indicator", message);
    }
    found
}

/// Why the agreement would be missed while the objective is kept.
fn stricter(slo: &Slo) -> Option<String> {
    let sla = slo.sla.as_ref().filter(|sla| sla.target() > slo.objective)?;
    Some(format!(
        "{} is stricter than the objective of {}: expected at most that, so that the team is warned before money is owed",
        percent(sla.target()),
        percent(slo.objective)
    ))
}

/// Why the shortest window cannot judge a throughput: with fewer than two events, a little late and missing look the same.
fn too_slow(slo: &Slo) -> Option<String> {
    let Sli::Throughput(flow) = &slo.sli else { return None };
    let base = Clock::Lab.base();
    let least = 2.0 / base.secs();
    (flow.floor < least).then(|| {
        format!(
            "{} per second are fewer than two events in {base}, the shortest window of the lab's clock: expected at least {} \
             per second",
            number(flow.floor),
            number(least)
        )
    })
}

/// What somebody should look at, although the rules work: nobody has promised to review the objective, or the day has passed.
#[must_use]
pub fn warnings(slo: &Slo, today: NaiveDate) -> Vec<Problem> {
    let expected = "expected the day on which its owner looks again at whether the objective is right, such as 2027-06-30";
    let message = match slo.review {
        None => format!("missing: {expected}"),
        Some(day) if day < today => {
            format!("{day} has passed: review it (docs/error-budget-policy.md), then set the next day")
        }
        Some(_) => return Vec::new(),
    };
    vec![problem(slo, &format!("metadata.annotations.{REVIEW}"), message)]
}

/// A problem of a field, on its line if that is known, otherwise on that of the name.
fn problem(slo: &Slo, field: &str, message: String) -> Problem {
    let (file, name) = slo.origin.clone();
    let line = slo.lines.get(field).copied().unwrap_or(name);
    Problem { file, line, field: field.to_owned(), message }
}

/// Each selector of the SLI with the field that contains it, checked against the existing metrics.
fn metrics(slo: &Slo, catalogue: &Catalogue) -> Vec<(String, Result<(), String>)> {
    let query = |path: &str| format!("spec.indicator.spec.{path}.metricSource.spec.query");
    let check = |path: &str, selector, used| (query(path), catalogue.check(&slo.service, selector, used));
    match &slo.sli {
        Sli::Bad { bad, total } => {
            vec![check("ratioMetric.bad", bad, Use::Counter), check("ratioMetric.total", total, Use::Counter)]
        }
        Sli::Good { good, total } => {
            vec![
                check("ratioMetric.good", good, Use::Counter),
                check("ratioMetric.total", total, Use::Counter),
            ]
        }
        Sli::Latency { histogram, threshold } => vec![
            check("thresholdMetric", histogram, Use::Histogram),
            (
                "spec.objectives[0].value".to_owned(),
                catalogue.check_bound(&slo.service, histogram, *threshold),
            ),
        ],
        Sli::Throughput(flow) => vec![
            check("ratioMetric.good", &flow.done, Use::Counter),
            check("ratioMetric.total", &flow.offered, Use::Counter),
        ],
    }
}

/// Notes on the traffic that a spec needs.
#[must_use]
pub fn notes(slo: &Slo) -> Vec<String> {
    let pair = &Clock::Lab.pairs()[0];
    if let Sli::Throughput(flow) = &slo.sli {
        let events = flow.floor * pair.short.secs();
        return vec![format!(
            "on the lab clock, a window of {} is bad with fewer than {} events, and counts from {} on offer",
            pair.short,
            number(events),
            number(flow.from * pair.short.secs()),
        )];
    }
    let events = theory::events_under_which_one_fires(pair, slo.budget());
    let rate = events / pair.short.secs();
    vec![
        format!(
            "with fewer than {:.0} events in the long window a single error is above {} x; so an alert needs at least {} errors",
            events.ceil(),
            number(pair.factor),
            slo.minimum_errors,
        ),
        format!(
            "on the lab clock, under {rate:.1} events per second one error fills the {} window, so that only the long one decides",
            pair.short
        ),
    ]
}
