//! What became of pairs, and of those that could not be run.

use std::process::ExitCode;

use anyhow::Result;
use serde::Serialize;

use crate::{
    commands::chaos::experiment::report::Report,
    terminal::{json, out, say},
};

/// What became of a pair.
#[derive(Debug, Serialize)]
pub(super) struct Done {
    pub(super) name: String,
    pub(super) report: Report,
}

impl Done {
    /// Of a pair that was run. Of one that was not, this says why: the others can be run all the same.
    pub(super) fn of(name: &str, ran: Result<Report>) -> Option<Self> {
        match ran {
            Ok(report) => Some(Self { name: name.to_owned(), report }),
            Err(why) => {
                say(format_args!("{name} was not run to its end: {why:#}"));
                None
            }
        }
    }
}

/// Says what became of each of these pairs; returns the exit code. What was not run is not known.
pub(super) fn conclude(names: &[&str], done: &[Done], as_json: bool) -> Result<ExitCode> {
    let all = became(names, done);
    if as_json {
        json(&done)?;
    } else {
        let width = names.iter().map(|name| name.len()).max().unwrap_or(0);
        for (name, report) in &all {
            out!("{name:<width$} {}", report.map_or("not run", Report::verdict));
        }
    }
    let verdicts: Vec<Option<bool>> =
        all.iter().map(|(_, report)| report.and_then(|one| one.holds)).collect();
    Ok(ExitCode::from(code(&verdicts)))
}

/// The report of each of these pairs, if it was run.
fn became<'d>(names: &[&'d str], done: &'d [Done]) -> Vec<(&'d str, Option<&'d Report>)> {
    let report = |name: &str| done.iter().find(|one| one.name == name).map(|one| &one.report);
    names.iter().map(|name| (*name, report(name))).collect()
}

/// The exit code: whether one of them does not hold counts more than that one is not known.
fn code(verdicts: &[Option<bool>]) -> u8 {
    if verdicts.contains(&Some(false)) {
        1
    } else if verdicts.contains(&None) {
        2
    } else {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::chaos::experiment::{file, judge::HANGS};

    #[test]
    fn a_pair_that_was_not_run_is_named_wherever_it_is_and_is_not_known() {
        let experiment = file::read("x.yaml", HANGS).unwrap();
        let ran = || Ok(Report::of(&experiment, Vec::new(), Vec::new()));
        let tried = [("a", ran()), ("b", Err(anyhow::anyhow!("Prometheus does not answer"))), ("c", ran())];
        let done: Vec<Done> = tried.into_iter().filter_map(|(name, ran)| Done::of(name, ran)).collect();
        let all = became(&["a", "b", "c", "d"], &done);
        let ran: Vec<(&str, bool)> = all.iter().map(|(name, report)| (*name, report.is_some())).collect();
        assert_eq!(ran, [("a", true), ("b", false), ("c", true), ("d", false)]);
    }

    #[test]
    fn one_that_does_not_hold_counts_more_than_one_that_is_not_known() {
        assert_eq!(code(&[Some(true), Some(true)]), 0);
        assert_eq!(code(&[Some(true), None]), 2);
        assert_eq!(code(&[None, Some(false), Some(true)]), 1);
    }
}
