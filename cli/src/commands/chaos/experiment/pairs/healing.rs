//! The pairs of automation: how long it takes until all is well, with automation or the judge of a release, and without. Their
//! table in `docs/automation.md` is written from the reports, row by row.

use std::{process::ExitCode, time::Duration};

use anyhow::{Result, bail};
use tokio::time::sleep;

use super::{Done, Pairs, code, least};
use crate::{
    commands::{
        chaos::{
            experiment::{
                file::Experiment,
                judge::longer,
                pair::Pair,
                pass::{Ending, Pass},
                perform::{perform, until_stopped},
                possible, read_file,
                report::Report,
            },
            library,
        },
        marked::{self, Marked},
    },
    installation::Installation,
    terminal::{block, json, out, say},
};

/// Where the table is.
const PLACE: Marked = Marked {
    page: "docs/automation.md",
    begin: "<!-- Written by `lab chaos pairs --automation --markdown`; do not edit. -->\n",
    end: "<!-- End of the pairs. -->\n",
};
const HEAD: &str =
    "| experiment | well again, with | well again, without | times as long |\n|---|---|---|---|\n";
/// A process that was restarted a short time ago is not restarted again: this long lies between two pairs.
const PAUSE: Duration = Duration::from_secs(300);

/// Runs them.
///
/// # Errors
/// When a name is unknown, a part of the lab does not answer, or the page cannot be written.
pub(super) async fn run(pairs: &Pairs, place: &Installation) -> Result<ExitCode> {
    let chosen = chosen(pairs, place)?;
    if pairs.list {
        for (name, experiment) in &chosen {
            let least = humantime::format_duration(least(experiment));
            out!("{name:<21} at least {least:<10} {}", experiment.title());
        }
        return Ok(ExitCode::SUCCESS);
    }
    for (_, experiment) in chosen.iter().filter(|_| !place.in_cluster()) {
        possible(experiment, place)?;
    }
    let root = place.home()?.root;
    let stop = until_stopped();
    let mut done: Vec<Done> = Vec::new();
    for (number, (name, experiment)) in chosen.iter().enumerate() {
        if number > 0 {
            say(format_args!("{} s of quiet before the next", PAUSE.as_secs()));
            stop.run_until_cancelled(sleep(PAUSE)).await;
        }
        if stop.is_cancelled() {
            break;
        }
        say(format_args!("pair {} of {}: {name}", number + 1, chosen.len()));
        let report = perform(place, experiment, &stop).await?;
        if !pairs.json {
            block(&report.page(None));
        }
        done.push(Done { name: name.clone(), report });
        if pairs.markdown {
            // Each time: what took an hour is not lost if somebody ends it.
            PLACE.rewrite(&root, |old| table(&done, old))?;
        }
    }
    let mut verdicts: Vec<Option<bool>> = done.iter().map(|one| one.report.holds).collect();
    // What was not run is not known.
    verdicts.resize(chosen.len(), None);
    if pairs.json {
        json(&done)?;
    } else {
        done.iter().for_each(|one| out!("{:<21} {}", one.name, one.report.verdict()));
        chosen.iter().skip(done.len()).for_each(|(name, _)| out!("{name:<21} not run"));
    }
    Ok(ExitCode::from(code(&verdicts)))
}

/// The named ones, or all.
fn chosen(pairs: &Pairs, place: &Installation) -> Result<Vec<(String, Experiment)>> {
    let mut all = Vec::new();
    for file in library::files(&place.home()?.root)? {
        let experiment = read_file(&file)?;
        if is_healing(&experiment) {
            all.push((library::stem(&file), experiment));
        }
    }
    let names: Vec<String> = all.iter().map(|(name, _)| name.clone()).collect();
    if let Some(unknown) = pairs.names.iter().find(|name| !names.contains(name)) {
        bail!("{unknown} takes no automation away; there are: {}", names.join(", "));
    }
    all.retain(|(name, _)| pairs.names.is_empty() || pairs.names.contains(name));
    Ok(all)
}

/// Whether its second pass is without automation, or without the judge of a release.
fn is_healing(experiment: &Experiment) -> bool {
    matches!(experiment.pair, Some(Pair::Automation | Pair::Judge))
}

/// The table. What was measured now replaces what the page has of the same pairs; the others stay.
fn table(done: &[Done], old: &str) -> String {
    let mut lines = marked::rows(old);
    for Done { name, report } in done {
        match row(name, report) {
            Some(line) => lines.insert(name.clone(), line),
            // What was true once is not claimed any longer; what was not tried says nothing.
            None if report.holds == Some(false) => lines.remove(name),
            None => None,
        };
    }
    marked::table_or_nothing(HEAD, &lines)
}

/// The times of one pair, if it holds.
fn row(name: &str, report: &Report) -> Option<String> {
    let [with, without] = report.passes.as_slice() else { return None };
    if report.holds != Some(true) {
        return None;
    }
    let times = longer(&report.passes).filter(|times| times.is_finite());
    let times = times.map_or_else(|| "-".to_owned(), |times| format!("{times:.1}"));
    let link = format!("[{name}](../drills/experiments/{name}.yaml)");
    Some(format!("| {link} | {} | {} | {times} |", time(with), time(without)))
}

/// How long a pass took until all was well.
fn time(pass: &Pass) -> String {
    match (pass.ending, pass.restored_after) {
        (Ending::Steady, Some(after)) if after > 0.0 => format!("{after:.0} s"),
        (Ending::Steady, Some(_)) => "nothing was bad".to_owned(),
        (Ending::Aborted, _) => "stopped".to_owned(),
        _ => "never".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;
    use crate::commands::{
        chaos::experiment::{file, judge::HANGS},
        marked::NOTHING,
    };

    fn done(name: &str, with: f64, without: f64) -> Done {
        let pass = |after: f64| {
            let mut pass = Pass::before(None);
            pass.ending = Ending::Steady;
            pass.restored_after = Some(after);
            pass
        };
        // Of automation nothing is known here.
        let experiment = file::read("x.yaml", &HANGS.replace("least: 1}", "least: 0}")).unwrap();
        let report = Report::of(&experiment, vec![pass(with), pass(without)], Vec::new());
        Done { name: name.to_owned(), report }
    }

    #[test]
    fn a_pair_that_holds_has_a_row_and_one_that_does_not_loses_it() {
        let line = "| [a](../drills/experiments/a.yaml) | 30 s | 121 s | 4.0 |\n";
        let first = table(&[done("a", 30.0, 121.0)], "\nNot measured yet.\n");
        assert_eq!(first, format!("{HEAD}{line}"));
        let both = table(&[done("b", 0.0, 90.0)], &first);
        assert!(both.contains(line), "{both}");
        assert!(
            both.contains("| [b](../drills/experiments/b.yaml) | nothing was bad | 90 s | - |"),
            "{both}"
        );
        let slow = table(&[done("a", 70.0, 121.0)], &both);
        assert!(!slow.contains("[a]") && slow.contains("[b]"), "{slow}");
        assert_eq!(table(&[], ""), NOTHING);
    }

    #[test]
    fn every_pair_of_automation_states_how_soon_all_is_well_and_the_page_has_their_place() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let mut count = 0;
        for file in library::files(&root).unwrap() {
            let experiment = read_file(&file).unwrap();
            if is_healing(&experiment) {
                assert!(experiment.restored.is_some(), "{}", library::stem(&file));
                count += 1;
            }
        }
        assert_eq!(count, 7);
        let page = fs::read_to_string(root.join(PLACE.page)).unwrap();
        assert!(page.split_once(PLACE.begin).is_some_and(|(_, rest)| rest.contains(PLACE.end)));
    }
}
