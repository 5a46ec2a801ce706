//! What is legal in a spec but wrong: alerts that can never fire, metrics that do not exist, traffic that is too low.

use crate::{
    Catalogue, PAIRS, Problem, Sli, Slo,
    catalogue::Use,
    generate, theory,
    window::{number, percent},
};

/// Everything that makes the rules of a spec useless.
#[must_use]
pub fn errors(slo: &Slo, catalogue: &Catalogue) -> Vec<Problem> {
    let mut found = Vec::new();
    let mut wrong = |field: &str, message: String| {
        let (file, name) = slo.origin.clone();
        let line = slo.lines.get(field).copied().unwrap_or(name);
        found.push(Problem { file, line, field: field.to_owned(), message });
    };
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
    if let Err(message) = generate::testable(slo) {
        wrong("spec.indicator", message);
    }
    found
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
    }
}

/// Notes on the traffic that a spec needs.
#[must_use]
pub fn notes(slo: &Slo) -> Vec<String> {
    let pair = &crate::Clock::Lab.pairs()[0];
    let events = theory::events_under_which_one_fires(pair, slo.budget());
    let mut notes = vec![format!(
        "with fewer than {:.0} events in the long window a single error is above {} x; so an alert needs at least {} errors",
        events.ceil(),
        number(pair.factor),
        slo.minimum_errors,
    )];
    let rate = events / pair.short.secs();
    notes.push(format!(
        "on the lab clock, under {rate:.1} events per second one error fills the {} window, so that only the long one decides",
        pair.short
    ));
    notes
}
