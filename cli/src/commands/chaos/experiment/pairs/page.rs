//! The page of a pair: what the protection does, what was broken, both passes in numbers and as curves, and how to run it
//! again. Prose is wrapped as in every page of the book.

use std::fmt::Write as _;

use crate::commands::chaos::{
    blow::Blow,
    experiment::{file::Experiment, report::Report},
};

/// Widest line of prose in the book.
const COLUMNS: usize = 100;

/// What a page says beside what was measured.
pub(super) struct Facts<'f> {
    pub(super) name: &'f str,
    pub(super) experiment: &'f Experiment,
    pub(super) service: &'f str,
    pub(super) protection: &'f str,
    /// What the protection does, without a full stop.
    pub(super) summary: &'f str,
    /// What tells the text of the experiment from a later one.
    pub(super) text: &'f str,
}

/// The line that says where a page comes from.
pub(super) fn written_by(name: &str, text: &str) -> String {
    format!("<!-- Written by `{}` from experiment {text}; do not edit. -->", command(name))
}

/// Whether a page is of an experiment with this text.
pub(super) fn is_of(page: &str, text: &str) -> bool {
    page.lines().any(|line| line.starts_with("<!-- Written by") && line.contains(&format!(" {text};")))
}

fn command(name: &str) -> String {
    format!("lab chaos pairs {name} --write docs/drills")
}

/// The page in Markdown.
pub(super) fn page(facts: &Facts<'_>, report: &Report) -> String {
    let Facts { name, experiment, service, protection, summary, text } = facts;
    let mut page = format!("# {}\n\n{}\n\n", experiment.title(), written_by(name, text));
    paragraph(&mut page, "", &format!("The protection `{protection}` of {service}: {summary}."));
    page.push('\n');
    paragraph(&mut page, "", &experiment.hypothesis);
    page.push('\n');
    let day = report.passes.first().map(|pass| pass.from.format(" on %Y-%m-%d").to_string());
    let measured = format!(
        "The hypothesis **{}**. Measured{} with [this experiment](../../drills/experiments/{name}.yaml).",
        report.verdict(),
        day.unwrap_or_default()
    );
    paragraph(&mut page, "", &measured);
    page.push_str("\n## What is broken\n\n");
    broken(experiment).iter().for_each(|line| paragraph(&mut page, "- ", line));
    page.push_str("\n## In numbers\n\n");
    report.measured(&mut page, Some(*name));
    if !report.findings.is_empty() {
        page.push_str("\n## Findings\n\n");
        report.findings.iter().for_each(|finding| paragraph(&mut page, "- ", finding));
    }
    let _ = write!(page, "\n## Run it again\n\n```sh\n./lab up\n./{}\n```\n\n", command(name));
    paragraph(&mut page, "", &seeds(experiment));
    page
}

/// What was done, and what was different from a lab that was just started.
fn broken(experiment: &Experiment) -> Vec<String> {
    let mut lines = Vec::new();
    let mut from = 0;
    for step in &experiment.steps {
        let what: Vec<String> = step.blows.iter().map(|blow| format!("`{}`", told(blow))).collect();
        let what = if what.is_empty() { "nothing".to_owned() } else { what.join(" and ") };
        lines.push(format!("From {from} s on, for {} s: {what}.", step.lasts.as_secs()));
        from += step.lasts.as_secs();
    }
    lines.extend(experiment.weakened.iter().map(|off| format!("In both runs: {off}.")));
    lines.extend(
        experiment.crowd.iter().map(|crowd| format!("In both runs, beside the lab's own load: {crowd}.")),
    );
    lines
}

/// A fault without its seed, which has a place of its own.
fn told(blow: &Blow) -> String {
    let Blow::Fault { service, fault, parameters } = blow else { return blow.to_string() };
    let parameters = parameters.iter().filter(|(name, _)| name != "seed").cloned().collect();
    Blow::Fault { service: service.clone(), fault: fault.clone(), parameters }.to_string()
}

/// What is drawn by lot, and from which seed.
fn seeds(experiment: &Experiment) -> String {
    let mut seeds = Vec::new();
    for blow in experiment.blows() {
        let Blow::Fault { fault, parameters, .. } = blow else { continue };
        let seed = parameters.iter().find(|(name, _)| name == "seed");
        seeds.extend(seed.map(|(_, seed)| format!("{seed} ({fault})")));
    }
    seeds.extend(experiment.crowd.iter().map(|crowd| format!("{} (the additional requests)", crowd.seed)));
    if seeds.is_empty() {
        return "Nothing in it is random.".to_owned();
    }
    format!("Seeds: {}. The lab's own load has its default seed.", seeds.join(", "))
}

/// Adds prose with lines that are not too long; the first one begins with `bullet`, the others are indented by as much.
fn paragraph(page: &mut String, bullet: &str, text: &str) {
    let indent = " ".repeat(bullet.chars().count());
    let mut line = bullet.to_owned();
    let mut begun = false;
    for word in text.split_whitespace() {
        if begun && line.chars().count() + 1 + word.chars().count() > COLUMNS {
            let _ = writeln!(page, "{line}");
            line.clone_from(&indent);
            begun = false;
        }
        if begun {
            line.push(' ');
        }
        line.push_str(word);
        begun = true;
    }
    let _ = writeln!(page, "{line}");
}

#[cfg(test)]
mod tests {
    use chrono::Utc;

    use super::*;
    use crate::commands::chaos::{
        experiment::{
            curve::Curve,
            file,
            found::{Ending, Pass},
            report::Measured,
        },
        eyes::Budgets,
    };

    const EXAMPLE: &str = "\
title: A peer is slow, with a breaker and without
hypothesis: >-
  With the circuit breaker, orders that cannot succeed fail at once; without it, each of them waits out the whole second,
  and the process is full of requests that wait.
scope: {services: [order-api], budget: 10%}
steady_state: [{name: orders are answered, query: up}]
weakened: [{service: order-api, protection: retry-budget}]
crowd: {rps: 20, seed: 8}
method:
  - {fault: {service: order-api, fault: upstream-latency, with: {delay: 1500ms, seed: 7}}, lasts: 25s}
  - {lasts: 5s}
pair: {service: order-api, protection: circuit-breaker}
measures: [{name: waiting, query: up, least: 3}]
";

    fn written() -> String {
        let experiment = file::read("x.yaml", EXAMPLE).unwrap();
        let mut pass = Pass::before(None);
        pass.ending = Ending::Steady;
        pass.recovered_after = Some(3.0);
        pass.burned = Budgets::new();
        pass.from = "2026-06-01T12:00:00Z".parse::<chrono::DateTime<Utc>>().unwrap();
        let curve = |mean| Curve { points: vec![(0.0, mean)], mean: Some(mean), broken: 30.0 };
        let curves = vec![curve(2.0), curve(12.0)];
        let measured = Measured { name: "waiting".to_owned(), least: Some(3.0), curves };
        let report = Report::of(&experiment, vec![pass.clone(), pass], vec![measured]);
        let (name, service) = ("breaker", "order-api");
        let (protection, summary) = ("circuit-breaker", "stops calling a peer that keeps failing");
        let text = "3f2a9c0d1b7e";
        page(&Facts { name, experiment: &experiment, service, protection, summary, text }, &report)
    }

    #[test]
    fn a_page_says_what_was_done_what_came_of_it_and_how_to_do_it_again() {
        let page = written();
        for part in [
            "# A peer is slow, with a breaker and without\n",
            "The protection `circuit-breaker` of order-api: stops calling a peer that keeps failing.\n",
            "The hypothesis **holds**. Measured on 2026-06-01 with [this",
            "- From 0 s on, for 25 s: `upstream-latency in order-api delay=1500ms`.\n",
            "- From 25 s on, for 5 s: nothing.\n",
            "- In both runs: order-api without retry-budget.\n",
            "- In both runs, beside the lab's own load: 20 more requests per second.\n",
            "| what | with circuit-breaker of order-api | without |\n",
            "| waiting, on average | 2.000 | 12.000 |\n",
            "### waiting: 6.0 times as much without (stated: at least 3)\n\n![waiting](breaker-1.svg)\n",
            "./lab chaos pairs breaker --write docs/drills\n",
            "Seeds: 7 (upstream-latency), 8 (the additional requests).",
        ] {
            assert!(page.contains(part), "{part}\n---\n{page}");
        }
        assert!(!page.contains("## Findings"), "{page}");
        assert!(is_of(&page, "3f2a9c0d1b7e") && !is_of(&page, "0123456789ab"), "{page}");
    }

    #[test]
    fn prose_fits_into_the_book() {
        let page = written();
        let prose =
            page.lines().filter(|line| !["|", "#", "![", "<!--"].iter().any(|sign| line.starts_with(sign)));
        for line in prose {
            assert!(line.chars().count() <= COLUMNS, "{line}");
            assert_eq!(line.trim_end(), line);
        }
        let mut list = String::new();
        paragraph(&mut list, "- ", &"word ".repeat(30));
        let lines: Vec<&str> = list.lines().collect();
        assert!(
            lines.len() == 2 && lines[0].starts_with("- word") && lines[1].starts_with("  word"),
            "{list}"
        );
    }
}
