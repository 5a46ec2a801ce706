//! `lab chaos run FILE`: a steady-state experiment. With a pair, it runs twice, with a protection or automation and
//! without, and the difference is a number.

mod automation;
mod calm;
mod curve;
mod file;
mod hands;
mod judge;
mod pair;
mod pass;
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
use tokio_util::sync::CancellationToken;

use self::{
    file::Experiment,
    hands::Hands,
    pass::{Ending, Pass, Stage},
    report::{Measured, Report},
};
use super::{blow::Blow, eyes::Eyes};
use crate::{
    installation::Installation,
    signals::{self, Hangup},
    terminal::{block, json, out},
};

/// Runs an experiment: waits until the system is steady, breaks what the file says, looks at what should hold
/// meanwhile, ends everything, and waits until it is steady again. Stops early when the file's condition to
/// abort holds, or when more of an error budget is burned than the blast radius allows. Exits with 0 if the
/// hypothesis holds, 1 if it does not, 2 if that is not known.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    lab chaos run drills/experiments/cache-loss.yaml\n  \
    lab chaos run drills/experiments/breaker.yaml --into docs/drills     with both curves as SVG\n  \
    lab chaos run drills/experiments/stuck-consumer.yaml                 with automation, and without\n  \
    lab chaos run my.yaml --check                                        only read it")]
pub(super) struct Run {
    /// The experiment.
    #[arg(value_name = "FILE")]
    file: PathBuf,
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
        let name = self.file.display().to_string();
        let text = fs::read_to_string(&self.file).with_context(|| format!("cannot read {name}"))?;
        let experiment = file::read(&name, &text)?;
        if self.check {
            show(&experiment);
            return Ok(ExitCode::SUCCESS);
        }
        let mut blows = experiment.steps.iter().flat_map(|step| &step.blows);
        let kills = blows.any(|blow| matches!(blow, Blow::Kill { .. }));
        if kills && !place.is_here() {
            bail!("`kill` works on a lab on this machine only: leave out --context and the URLs");
        }
        let report = perform(place, &experiment).await?;
        if let Some(folder) = &self.into {
            self.write(folder, &report)?;
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

    /// The report and its pictures, named like the experiment.
    fn write(&self, folder: &Path, report: &Report) -> Result<()> {
        let stem = self.file.file_stem().map_or_else(|| "experiment".into(), |stem| stem.to_string_lossy());
        fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
        let keep = |name: String, text: &str| {
            let path = folder.join(name);
            fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
        };
        for (number, picture) in report.pictures().iter().enumerate() {
            keep(format!("{stem}-{}.svg", number + 1), picture)?;
        }
        keep(format!("{stem}.md"), &report.page(Some(&stem)))
    }
}

async fn perform(place: &Installation, experiment: &Experiment) -> Result<Report> {
    let stop = CancellationToken::new();
    let words = "\nending what was begun";
    tokio::spawn(signals::listen(stop.clone(), CancellationToken::new(), Hangup::Ends, words));
    let hands = match &experiment.automation {
        None => None,
        Some(automation) => Some(Hands::of(place, automation).await?),
    };
    let stage = Stage { place, eyes: Eyes::of(place).await?, hands, experiment, stop };
    let passes = both(&stage).await;
    // Even after a failure, automation is as it was.
    if let Some(hands) = &stage.hands {
        hands.put_back().await?;
    }
    let passes = passes?;
    let mut measures = Vec::new();
    for measure in &experiment.measures {
        let mut curves = Vec::new();
        for pass in passes.iter().filter(|pass| pass.ending != Ending::Invalid) {
            curves.push(curve::curve(stage.eyes.prometheus(), measure, pass).await?);
        }
        measures.push(Measured { name: measure.name.clone(), least: measure.least, curves });
    }
    Ok(Report::of(experiment, passes, measures))
}

/// The passes; the second one only if the first has left everything steady.
async fn both(stage: &Stage<'_>) -> Result<Vec<Pass>> {
    let first = stage.pass(None).await?;
    let next = first.ending == Ending::Steady && !stage.stop.is_cancelled();
    let mut passes = vec![first];
    if let Some(pair) = stage.experiment.pair.as_ref().filter(|_| next) {
        passes.push(stage.pass(Some(pair)).await?);
    }
    Ok(passes)
}

fn show(experiment: &Experiment) {
    out!("{}", experiment.title);
    out!("  believed   {}", experiment.hypothesis);
    let scope = &experiment.scope;
    out!("  touches    {}, and at most {:.0} % of a budget", scope.services.join(", "), scope.budget * 100.0);
    experiment.steady.iter().for_each(|check| out!("  holds      {}", check.name));
    experiment.weakened.iter().for_each(|off| out!("  always     {off}"));
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
        out!("  automation {}: {least} to {most} runs change something{held}", automation.runbooks.join(", "));
    }
    if let Some(restored) = &experiment.restored {
        let least = restored
            .least
            .map_or_else(String::new, |least| format!(", and {least} times as long without"));
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

    #[test]
    fn every_experiment_of_the_checkout_can_be_read() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let mut read = 0;
        for entry in fs::read_dir(root.join("drills/experiments")).unwrap() {
            let path = entry.unwrap().path();
            let text = fs::read_to_string(&path).unwrap();
            let experiment = file::read(&path.to_string_lossy(), &text);
            let experiment = experiment.unwrap_or_else(|problems| panic!("{problems}"));
            let checks = experiment.steady.iter().chain(&experiment.abort).map(|check| &check.query);
            for query in checks.chain(experiment.measures.iter().map(|measure| &measure.query)) {
                let parsed = promql_parser::parser::parse(query);
                assert!(parsed.is_ok(), "{}: {query}: {parsed:?}", path.display());
            }
            for runbook in experiment.automation.iter().flat_map(|automation| &automation.runbooks) {
                let file = root.join(format!("runbooks/{runbook}.yaml"));
                assert!(file.is_file(), "{}: no runbook {runbook}", path.display());
            }
            read += 1;
        }
        assert!(read >= 10, "{read}");
    }
}
