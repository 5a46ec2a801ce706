//! `lab chaos run NAME`: a steady-state experiment. With a pair, it runs twice, with a protection or automation and
//! without, and the difference is a number.

mod automation;
mod calm;
mod crowd;
mod curve;
mod file;
mod found;
mod hands;
mod judge;
mod network;
mod pair;
mod pairs;
mod pass;
mod perform;
mod picture;
mod release;
mod report;
mod shape;
mod step;

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context as _, Result, bail};
use clap::Args;

pub(super) use self::pairs::{Pairs, table};
use self::{
    file::Experiment,
    perform::{perform, until_stopped, write},
    step::Step,
};
use super::{
    blow::{self, Blow},
    engine::Engine,
    library,
};
use crate::{
    installation::Installation,
    terminal::{block, json, out},
};

/// Runs an experiment: waits until the system is steady, breaks what the file says, looks at what should hold
/// meanwhile, ends everything, and waits until it is steady again. Stops early when the file's condition to
/// abort holds, or when more of an error budget is burned than the blast radius allows. Exits with 0 if the
/// hypothesis holds, 1 if it does not, 2 if that is not known.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    lab chaos run slow-database                                          one of `lab chaos list`\n  \
    lab --context k8s chaos run slow-database --engine litmus            in a cluster\n  \
    lab chaos run drills/experiments/breaker.yaml --into reports         with both curves as SVG\n  \
    lab chaos run stuck-consumer                                         with automation, and without\n  \
    lab chaos run my.yaml --check                                        only read it")]
pub(super) struct Run {
    /// The experiment: a name from `lab chaos list`, or a file.
    #[arg(value_name = "NAME|FILE")]
    experiment: String,
    /// What breaks a cluster, if the experiment is not made of faults.
    #[arg(long, value_enum, value_name = "NAME", default_value_t = Engine::ChaosMesh)]
    engine: Engine,
    /// Only read it, and show what would be done.
    #[arg(long)]
    check: bool,
    /// Write the report in Markdown, and the curves as SVG, to this folder.
    #[arg(long, value_name = "FOLDER")]
    into: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl Run {
    /// Runs the command.
    pub(super) async fn run(self, place: &Installation) -> Result<ExitCode> {
        let file = library::find(place, &self.experiment)?;
        let name = library::stem(&file);
        let mut experiment = read_file(&file)?;
        if experiment.needs_engine() {
            if place.in_cluster() {
                self.hand_over(&mut experiment, place, &name)?;
            } else if !place.is_here() {
                bail!(
                    "only faults and rules reach an installation that is named by URLs: name it with --context"
                );
            }
        }
        if self.check {
            show(&experiment);
            return Ok(ExitCode::SUCCESS);
        }
        if !place.in_cluster() {
            possible(&experiment, place)?;
        }
        let report = perform(place, &experiment, &until_stopped()).await?;
        if let Some(folder) = &self.into {
            write(folder, &name, &report.page(Some(name.as_str())), &report.pictures())?;
        }
        if self.json {
            json(&report)?;
        } else {
            block(&report.page(None));
        }
        Ok(match report.holds {
            Some(true) => ExitCode::SUCCESS,
            Some(false) => ExitCode::FAILURE,
            None => ExitCode::from(2),
        })
    }

    /// Replaces the steps with the manifest of the same name, for as long as all of them together.
    fn hand_over(&self, experiment: &mut Experiment, place: &Installation, name: &str) -> Result<()> {
        let engine = self.engine;
        let Some(file) = engine.manifest(&place.home()?.root, name) else {
            let folder = format!("{}/{}", super::engine::FOLDER, engine.name());
            bail!("{engine} cannot do that: {folder} has no {name}.yaml (`lab chaos list` shows what can)");
        };
        let lasts = experiment.steps.iter().map(|step| step.lasts).sum();
        let blows = vec![Blow::Manifest { engine, name: name.to_owned(), file }];
        experiment.steps = vec![Step { blows, returns: false, lasts }];
        Ok(())
    }
}

/// Says what is missing on this machine before anything is waited for.
fn possible(experiment: &Experiment, place: &Installation) -> Result<()> {
    let (here, needs_chaos) = experiment.here();
    if !here {
        bail!(
            "parts on this machine have no names, disks and clocks of their own: run it in a cluster, with --context"
        );
    }
    if needs_chaos {
        blow::desk(place)?;
    }
    Ok(())
}

/// Reads an experiment.
///
/// # Errors
/// When the file cannot be read, and all problems in it.
pub(super) fn read_file(file: &Path) -> Result<Experiment> {
    let name = file.display().to_string();
    let text = fs::read_to_string(file).with_context(|| format!("cannot read {name}"))?;
    Ok(file::read(&name, &text)?)
}

fn show(experiment: &Experiment) {
    out!("{}", experiment.title);
    out!("  believed   {}", experiment.hypothesis);
    let scope = &experiment.scope;
    out!("  touches    {}, and at most {:.0} % of a budget", scope.services.join(", "), scope.budget * 100.0);
    experiment.steady.iter().for_each(|check| out!("  holds      {}", check.name));
    experiment.weakened.iter().for_each(|off| out!("  always     {off}"));
    experiment.crowd.iter().for_each(|crowd| out!("  always     {crowd}"));
    for step in &experiment.steps {
        let what: Vec<String> = step.blows.iter().map(ToString::to_string).collect();
        let what = if what.is_empty() { "wait".to_owned() } else { what.join(" and ") };
        out!("  does       {what} for {} s", step.lasts.as_secs());
    }
    experiment.abort.iter().for_each(|check| out!("  stops if   {}", check.name));
    if let Some(pair) = &experiment.pair {
        out!("  again      without {pair}");
    }
    if let Some(automation) = &experiment.automation {
        let (least, most) = (automation.least, automation.most);
        let held = if automation.held { ", and it is held back" } else { "" };
        out!(
            "  automation {}: {least} to {most} runs change something{held}",
            automation.runbooks.join(", ")
        );
    }
    if let Some(restored) = &experiment.restored {
        let least =
            restored.least.map_or_else(String::new, |least| format!(", and {least} times as long without"));
        out!("  well again within {} s{least}", restored.within.as_secs());
    }
    for measure in &experiment.measures {
        let least = measure
            .least
            .map_or_else(String::new, |least| format!(", at least {least} times as much without"));
        out!("  measures   {}{least}", measure.name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The experiments of the checkout, with their names.
    fn all() -> Vec<(String, Experiment)> {
        let mut all = Vec::new();
        for folder in ["../drills/experiments", "../deploy/chaos"] {
            for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).unwrap() {
                let path = entry.unwrap().path();
                if path.extension().is_some_and(|extension| extension == "yaml") {
                    all.push((
                        library::stem(&path),
                        read_file(&path).unwrap_or_else(|error| panic!("{error}")),
                    ));
                }
            }
        }
        all
    }

    #[test]
    fn every_experiment_of_the_checkout_can_be_read() {
        let (all, root) = (all(), Path::new(env!("CARGO_MANIFEST_DIR")).join(".."));
        for (name, experiment) in &all {
            let checks = experiment.steady.iter().chain(&experiment.abort).map(|check| &check.query);
            for query in checks.chain(experiment.measures.iter().map(|measure| &measure.query)) {
                let parsed = promql_parser::parser::parse(query);
                assert!(parsed.is_ok(), "{name}: {query}: {parsed:?}");
            }
            for runbook in experiment.automation.iter().flat_map(|automation| &automation.runbooks) {
                let file = root.join(format!("runbooks/{runbook}.yaml"));
                assert!(file.is_file(), "{name}: no runbook {runbook}");
                let step = experiment.automation.iter().find_map(|automation| automation.held_by.as_ref());
                let text = fs::read_to_string(&file).unwrap();
                let known = step.is_none_or(|step| text.contains(&format!("- name: {step}\n")));
                assert!(known, "{name}: {runbook} has no such step: {step:?}");
            }
        }
        let names: std::collections::BTreeSet<&String> = all.iter().map(|(name, _)| name).collect();
        assert!(all.len() >= 20 && names.len() == all.len(), "two of one name, or too few: {names:?}");
    }

    #[test]
    fn what_needs_an_engine_has_a_manifest_and_every_manifest_an_experiment() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let all = all();
        for (name, experiment) in all.iter().filter(|(_, experiment)| !experiment.here().0) {
            let engines = Engine::ALL.iter().filter(|engine| engine.manifest(&root, name).is_some());
            assert!(engines.count() > 0, "{name} runs nowhere: {}", experiment.title);
        }
        for engine in Engine::ALL {
            for entry in
                fs::read_dir(root.join(crate::commands::chaos::engine::FOLDER).join(engine.name())).unwrap()
            {
                let stem = library::stem(&entry.unwrap().path());
                assert!(all.iter().any(|(name, _)| *name == stem), "no experiment is called {stem}");
            }
        }
    }
}
