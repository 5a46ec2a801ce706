//! The pairs of automation: how long it takes until all is well, with automation or the judge of a release, and without. What they
//! found is kept one by one, and the table in `docs/automation.md` is written from that.

use std::{path::Path, process::ExitCode, time::Duration};

use anyhow::{Result, bail};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::{
    Pairs,
    done::{Done, conclude},
    least,
    measured::{self, Measured},
};
use crate::{
    commands::chaos::{
        experiment::{
            file::Experiment,
            found::LOOK,
            pair::Pair,
            perform::{perform, until_stopped},
            possible, read_file,
            report::Report,
        },
        library,
    },
    installation::Installation,
    terminal::{block, out, say},
};

/// No runbook restarts a process that is newer than this; and a bit more, until Prometheus has seen it so.
const NEW: Duration = Duration::from_secs(310);

/// An experiment that takes automation away, or the judge of a release.
struct Chosen {
    name: String,
    experiment: Experiment,
    /// What tells its text.
    text: String,
}

/// Runs them.
///
/// # Errors
/// When a name is unknown, a part of the lab does not answer, or a file cannot be written.
pub(super) async fn run(pairs: &Pairs, place: &Installation) -> Result<ExitCode> {
    let root = place.home()?.root;
    let (all, kept) = (all(&root)?, measured::open(&root, pairs.markdown)?);
    let names: Vec<String> = all.iter().map(|one| one.name.clone()).collect();
    let chosen = chosen(pairs, all, &kept)?;
    if pairs.list {
        chosen.iter().for_each(|one| list(one, &kept));
        return Ok(ExitCode::SUCCESS);
    }
    for one in chosen.iter().filter(|_| !place.in_cluster()) {
        possible(&one.experiment, place)?;
    }
    let stop = until_stopped();
    let mut done: Vec<Done> = Vec::new();
    for (number, one) in chosen.iter().enumerate().take_while(|_| !stop.is_cancelled()) {
        let ran = match until_old(place, &one.experiment, &stop).await {
            Ok(()) if stop.is_cancelled() => break,
            Ok(()) => {
                say(format_args!("pair {} of {}: {}", number + 1, chosen.len(), one.name));
                run_one(pairs, place, one, (&root, &names), &stop).await
            }
            Err(why) => Err(why),
        };
        done.extend(Done::of(&one.name, ran));
    }
    let names: Vec<&str> = chosen.iter().map(|one| one.name.as_str()).collect();
    conclude(&names, &done, pairs.json)
}

/// Runs a pair, and keeps what it has found if that is asked. `names` are those of all pairs.
async fn run_one(
    pairs: &Pairs,
    place: &Installation,
    one: &Chosen,
    (root, names): (&Path, &[String]),
    stop: &CancellationToken,
) -> Result<Report> {
    let report = perform(place, &one.experiment, stop).await?;
    if !pairs.json {
        block(&report.page(None));
    }
    // What somebody has stopped says nothing of the time without automation.
    if pairs.markdown && !stop.is_cancelled() {
        // Each time: what took an hour is not lost if somebody ends it.
        measured::keep(root, &one.name, &one.text, &report)?;
        measured::write(root, names, false)?;
    }
    Ok(report)
}

/// Writes the table from what is kept; returns whether its page was different. Writes nothing if `check`.
///
/// # Errors
/// When a file cannot be read or written.
pub(super) fn table(root: &Path, check: bool) -> Result<bool> {
    let names: Vec<String> = all(root)?.into_iter().map(|one| one.name).collect();
    measured::write(root, &names, check)
}

/// All of the checkout, by name.
fn all(root: &Path) -> Result<Vec<Chosen>> {
    let mut all = Vec::new();
    for file in library::files(root)? {
        let experiment = read_file(&file)?;
        if is_healing(&experiment) {
            all.push(Chosen { name: library::stem(&file), experiment, text: measured::text(&file)? });
        }
    }
    Ok(all)
}

/// The named ones, or all; without those that are known already, if that is asked.
fn chosen(pairs: &Pairs, mut all: Vec<Chosen>, kept: &Measured) -> Result<Vec<Chosen>> {
    if let Some(unknown) = pairs.names.iter().find(|name| !all.iter().any(|one| one.name == **name)) {
        let names: Vec<&str> = all.iter().map(|one| one.name.as_str()).collect();
        bail!("{unknown} takes no automation away; there are: {}", names.join(", "));
    }
    all.retain(|one| pairs.names.is_empty() || pairs.names.contains(&one.name));
    all.retain(|one| !pairs.unmeasured || !measured::is_known(kept, &one.name, &one.text));
    Ok(all)
}

/// Whether its second pass is without automation, or without the judge of a release.
fn is_healing(experiment: &Experiment) -> bool {
    matches!(experiment.pair, Some(Pair::Automation | Pair::Judge))
}

/// Prints how long a pair takes, and what is known of it.
fn list(one: &Chosen, kept: &Measured) {
    let Chosen { name, experiment, text } = one;
    let least = humantime::format_duration(least(experiment)).to_string();
    out!("{name:<21} at least {least:<10} {}", experiment.title());
    let known = match (kept.get(name), measured::current(kept, name, text)) {
        (_, Some(known)) => known.words(),
        (Some(old), None) => format!("{}; changed since then", old.words()),
        (None, None) => "not measured yet".to_owned(),
    };
    out!("{:<21} {known}", "");
}

/// Waits until no process of the experiment's services is so new that a runbook would leave it alone: the pair before may have
/// restarted one.
async fn until_old(place: &Installation, experiment: &Experiment, stop: &CancellationToken) -> Result<()> {
    let prometheus = place.prometheus().await?;
    let (query, deadline) = (is_new(&experiment.scope.services), Instant::now() + NEW);
    let mut told = false;
    while Instant::now() < deadline && !stop.is_cancelled() && !prometheus.query(&query).await?.is_empty() {
        if !told {
            say("waiting until no process is new: a runbook does not restart it again");
            told = true;
        }
        stop.run_until_cancelled(sleep(LOOK)).await;
    }
    Ok(())
}

/// Returns something while a process of these services was restarted a short time ago.
fn is_new(services: &[String]) -> String {
    format!("changes(process_start_time_seconds{{job=~\"{}\"}}[5m]) > 0", services.join("|"))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn root() -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
    }

    #[test]
    fn every_pair_of_automation_states_how_soon_all_is_well() {
        let all = all(&root()).unwrap();
        for one in &all {
            assert!(one.experiment.restored.is_some(), "{}", one.name);
        }
        assert_eq!(all.len(), 7);
    }

    #[test]
    fn the_committed_table_is_what_the_committed_measurements_say() {
        assert!(!table(&root(), true).unwrap(), "run `lab chaos generate`, and commit what it writes");
    }

    #[test]
    fn a_pair_waits_only_for_processes_of_its_own_services() {
        let services = ["order-api", "order-worker"].map(str::to_owned);
        let query = r#"changes(process_start_time_seconds{job=~"order-api|order-worker"}[5m]) > 0"#;
        assert_eq!(is_new(&services), query);
        // The time in which a runbook leaves a new process alone.
        let runbook = fs::read_to_string(root().join("runbooks/TargetDown.yaml")).unwrap();
        assert!(runbook.contains("changes(process_start_time_seconds") && runbook.contains("[5m]"));
    }
}
