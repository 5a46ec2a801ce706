//! What an experiment found.

use std::fmt::Write as _;

use serde::Serialize;

use super::{
    curve::Curve,
    file::Experiment,
    judge::{longer, unmet},
    pass::{Ending, Pass},
    picture::picture,
};

/// A measure, with one curve for each pass.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Measured {
    pub(super) name: String,
    /// How many times as large it has to be in the second pass.
    pub(super) least: Option<f64>,
    pub(super) curves: Vec<Curve>,
}

/// The whole experiment.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Report {
    title: String,
    hypothesis: String,
    /// Whether the hypothesis holds; absent if that is not known.
    pub(super) holds: Option<bool>,
    /// What to look into.
    pub(super) findings: Vec<String>,
    /// What was taken away in the second pass.
    without: Option<String>,
    /// How many times as long it took in the second pass until everything was well.
    longer: Option<f64>,
    pub(super) passes: Vec<Pass>,
    measures: Vec<Measured>,
}

impl Measured {
    /// How many times as large it was in the second pass.
    fn factor(&self) -> Option<f64> {
        let [with, without] = self.curves.as_slice() else { return None };
        let (with, without) = (with.mean?, without.mean?);
        // Nothing at all with it is infinitely better than something without.
        if with > 0.0 { Some(without / with) } else { (without > 0.0).then_some(f64::INFINITY) }
    }

    /// Whether the difference is as stated; true without a statement.
    fn is_as_stated(&self) -> bool {
        self.least.is_none_or(|least| self.factor().is_some_and(|factor| factor >= least))
    }
}

impl Report {
    pub(super) fn of(experiment: &Experiment, passes: Vec<Pass>, measures: Vec<Measured>) -> Self {
        let without = experiment.pair.as_ref().map(ToString::to_string);
        let mut findings: Vec<String> = Vec::new();
        // With a time until everything is well, it may be bad before that.
        if let Some(first) = passes.first().filter(|_| experiment.restored.is_none()) {
            findings.extend(first.deviations.iter().map(|one| {
                format!(
                    "{} did not hold for {:.0} s, from {:.0} s on (seen: {}): `{}`",
                    one.name, one.lasted, one.after, one.seen, one.query
                )
            }));
        }
        let second = without.as_ref().map_or_else(String::new, |what| format!(" without {what}"));
        for (pass, name) in passes.iter().zip(["", second.as_str()]) {
            match (&pass.ending, &pass.why) {
                (Ending::Lost, Some(why)) => {
                    findings.push(format!("it did not become steady again{name}: {why}"))
                }
                (Ending::Aborted, Some(why)) => findings.push(format!("it was stopped{name}: {why}")),
                (Ending::Invalid, Some(why)) => {
                    findings.push(format!("the system was not steady before{name}: {why}"))
                }
                _ => {}
            }
        }
        for one in measures.iter().filter(|one| !one.is_as_stated()) {
            let factor = one.factor().map_or_else(|| "unknown".to_owned(), times);
            let least = one.least.unwrap_or_default();
            findings.push(format!("{}: {factor}{second}, stated is at least {least} times", one.name));
        }
        let wrong = unmet(experiment, &passes);
        let holds = verdict(experiment, &passes, &measures, wrong.is_empty());
        findings.extend(wrong);
        let longer = longer(&passes);
        let (title, hypothesis) = (experiment.title.clone(), experiment.hypothesis.clone());
        Self { title, hypothesis, holds, findings, without, longer, passes, measures }
    }

    /// Pictures of the measures.
    pub(super) fn pictures(&self) -> Vec<String> {
        let names = self.names();
        let curves = |one: &Measured| {
            let list: Vec<(&str, &Curve)> = names.iter().map(String::as_str).zip(&one.curves).collect();
            picture(&one.name, &list)
        };
        self.measures.iter().map(curves).collect()
    }

    fn names(&self) -> [String; 2] {
        match &self.without {
            Some(protection) => [format!("with {protection}"), "without".to_owned()],
            None => ["measured".to_owned(), String::new()],
        }
    }

    /// Whether the hypothesis holds, in words.
    pub(super) const fn verdict(&self) -> &'static str {
        match self.holds {
            Some(true) => "holds",
            Some(false) => "does not hold",
            None => "unknown",
        }
    }

    /// In Markdown; with the stem of the pictures' names if there are some.
    pub(super) fn page(&self, pictures: Option<&str>) -> String {
        let verdict = self.verdict();
        let mut page = format!("# {}\n\n{}\n\nThe hypothesis: **{verdict}**.\n", self.title, self.hypothesis);
        page.push_str("\n## Findings\n\n");
        if self.findings.is_empty() {
            page.push_str("None.\n");
        }
        self.findings.iter().for_each(|finding| {
            let _ = writeln!(page, "- {finding}");
        });
        page.push_str("\n## Measured\n\n");
        self.measured(&mut page, pictures);
        page
    }

    /// The numbers of each pass, and each measure with its picture if there are some.
    pub(super) fn measured(&self, page: &mut String, pictures: Option<&str>) {
        page.push_str("| what |");
        let names = self.names();
        let passes = &names[..self.passes.len().clamp(1, names.len())];
        passes.iter().for_each(|name| {
            let _ = write!(page, " {name} |");
        });
        let _ = writeln!(page, "\n|---|{}", "---|".repeat(passes.len()));
        self.rows(page);
        if let (Some(longer), Some(what)) = (self.longer.filter(|it| it.is_finite()), &self.without) {
            let _ = writeln!(page, "\nWithout {what}, it took {longer:.1} times as long until all was well.");
        }
        for (number, one) in self.measures.iter().enumerate() {
            let factor =
                one.factor().map_or_else(String::new, |factor| format!(": {} without", times(factor)));
            let stated = one.least.map_or_else(String::new, |least| format!(" (stated: at least {least})"));
            let _ = writeln!(page, "\n### {}{factor}{stated}", one.name);
            if let Some(stem) = pictures {
                let _ = writeln!(page, "\n![{}]({stem}-{}.svg)", one.name, number + 1);
            }
        }
    }

    /// One row for each number, one column for each pass.
    fn rows(&self, page: &mut String) {
        let mut row = |name: &str, cell: &dyn Fn(&Pass) -> String| {
            let cells: Vec<String> = self.passes.iter().map(cell).collect();
            let _ = writeln!(page, "| {name} | {} |", cells.join(" | "));
        };
        row("steady again after", &|pass| {
            pass.recovered_after.map_or_else(|| "never".to_owned(), |time| format!("{time:.0} s"))
        });
        let automated = self.passes.iter().any(|pass| pass.deeds.is_some());
        // Of what is compared by it, with or without automation.
        if automated || self.longer.is_some() {
            row("well again after the first step", &|pass| {
                pass.restored_after.map_or_else(|| "never".to_owned(), |time| format!("{time:.0} s"))
            });
        }
        if automated {
            row("automation", &|pass| pass.deeds.as_ref().map_or_else(|| "-".to_owned(), |it| it.words()));
        }
        row("alerts", &|pass| {
            if pass.alerts.is_empty() { "none".to_owned() } else { pass.alerts.join(", ") }
        });
        row("burned", &|pass| {
            let burned = pass.burned.iter().map(|(slo, share)| format!("{slo} {:.2} %", share * 100.0));
            let burned: Vec<String> = burned.collect();
            if burned.is_empty() { "nothing".to_owned() } else { burned.join(", ") }
        });
        for one in &self.measures {
            let means = one
                .curves
                .iter()
                .map(|curve| curve.mean.map_or_else(|| "-".to_owned(), |mean| format!("{mean:.3}")));
            let means: Vec<String> = means.collect();
            let _ = writeln!(page, "| {}, on average | {} |", one.name, means.join(" | "));
        }
    }
}

/// Whether the hypothesis holds: nothing deviated, everything came back, and what is taken away in the second pass is
/// worth what is stated. `met`: what is stated about automation and its time is as stated.
fn verdict(experiment: &Experiment, passes: &[Pass], measures: &[Measured], met: bool) -> Option<bool> {
    let first = passes.first()?;
    match first.ending {
        Ending::Invalid | Ending::Aborted => return None,
        Ending::Lost => return Some(false),
        Ending::Steady => {}
    }
    // Without its protection, the system may do as it likes, but it has to have been tried.
    if experiment.pair.is_some() && passes.get(1).is_none_or(|second| second.ending == Ending::Invalid) {
        return None;
    }
    let steady = first.deviations.is_empty() || experiment.restored.is_some();
    Some(steady && met && measures.iter().all(Measured::is_as_stated))
}

fn times(factor: f64) -> String {
    if factor.is_finite() { format!("{factor:.1} times as much") } else { "infinitely more".to_owned() }
}

#[cfg(test)]
mod tests {
    use chrono::Utc;

    use super::*;
    use crate::commands::chaos::{
        experiment::{file, found::Deviation},
        eyes::Budgets,
    };

    const EXAMPLE: &str = "\
title: A peer is slow
hypothesis: Nothing fails.
scope: {services: [order-api], budget: 10%}
steady_state: [{name: orders are answered, query: up}]
method: [{lasts: 5s}]
pair: {service: order-api, protection: circuit-breaker}
measures: [{name: waiting, query: up, least: 3}]
";

    fn pass(ending: Ending) -> Pass {
        Pass {
            ending,
            why: Some("orders are answered: up (seen: nothing)".to_owned())
                .filter(|_| ending != Ending::Steady),
            from: Utc::now(),
            until: Utc::now(),
            deviations: Vec::new(),
            alerts: Vec::new(),
            burned: Budgets::new(),
            recovered_after: Some(3.0),
            restored_after: Some(0.0),
            deeds: None,
        }
    }

    fn measured(with: f64, without: f64) -> Measured {
        let curve = |mean| Curve { points: vec![(0.0, mean)], mean: Some(mean), broken: 5.0 };
        Measured { name: "waiting".to_owned(), least: Some(3.0), curves: vec![curve(with), curve(without)] }
    }

    fn report(passes: Vec<Pass>, measures: Vec<Measured>) -> Report {
        Report::of(&file::read("x.yaml", EXAMPLE).unwrap(), passes, measures)
    }

    #[test]
    fn a_protection_has_to_be_worth_what_is_stated() {
        let both = || vec![pass(Ending::Steady), pass(Ending::Lost)];
        let worth = report(both(), vec![measured(1.0, 6.0)]);
        assert_eq!(worth.holds, Some(true));
        let page = worth.page(Some("x"));
        assert!(
            page.contains("### waiting: 6.0 times as much without") && page.contains("](x-1.svg)"),
            "{page}"
        );
        let less = report(both(), vec![measured(1.0, 2.0)]);
        assert_eq!(less.holds, Some(false));
        assert!(
            less.page(None)
                .contains("2.0 times as much without circuit-breaker of order-api, stated is at least 3")
        );
        assert_eq!(report(both(), vec![measured(0.0, 2.0)]).holds, Some(true), "nothing against something");
        assert_eq!(report(both(), vec![measured(0.0, 0.0)]).holds, Some(false), "nothing against nothing");
    }

    #[test]
    fn a_deviation_refutes_and_a_stop_says_nothing() {
        let mut first = pass(Ending::Steady);
        let (name, query) = ("orders are answered".to_owned(), "up".to_owned());
        first.deviations.push(Deviation { name, query, after: 4.0, lasted: 9.0, seen: "nothing".to_owned() });
        let refuted = report(vec![first, pass(Ending::Steady)], vec![measured(1.0, 9.0)]);
        assert_eq!(refuted.holds, Some(false));
        let page = refuted.page(None);
        assert!(page.contains("did not hold for 9 s, from 4 s on (seen: nothing): `up`"), "{page}");
        for ending in [Ending::Invalid, Ending::Aborted] {
            assert_eq!(report(vec![pass(ending)], Vec::new()).holds, None, "{ending:?}");
        }
        assert_eq!(report(vec![pass(Ending::Lost)], Vec::new()).holds, Some(false));
        assert_eq!(report(vec![pass(Ending::Steady)], Vec::new()).holds, None, "the second pass is missing");
    }
}
