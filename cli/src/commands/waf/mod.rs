//! `lab waf`: the firewall of every edge, over its admin port, which answers even while its public port is stuck.

mod cases;
mod cpu;
mod lasts;
mod print;

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use serde_json::Map;
use switchboard::{Action, Replica, Rule, Tools};
use tokio_util::sync::CancellationToken;

use crate::{
    installation::Installation,
    parts::edge::{EDGE, STAGING},
    signals::{self, Hangup},
    terminal::{block, json, out},
};

/// Work on the edge's firewall. Changes apply to the running edges; an edge that restarts reads its files again.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    lab waf list                                   every rule, its mode and its counts\n  \
    lab waf test waf/scanners.yaml                 try the cases of a rule, and their cost; needs no lab\n  \
    lab waf apply waf/scanners.yaml                try them, then apply the rule in every edge\n  \
    lab waf apply --canary 10s waf/scanners.yaml   in one edge first; taken back if it costs too much\n  \
    lab waf apply --staging 15s waf/scanners.yaml  in the staging edge first; the others get it if that went well\n  \
    lab waf apply --for 10m waf/scanners.yaml      for ten minutes: it ends by itself\n  \
    lab waf disable scanners                       switch the rule off; its running searches end\n  \
    lab waf kill                                   the kill switch: requests pass unchecked\n  \
    lab waf restore                                back to what the files say\n  \
    lab waf --edge edge-2 list                     one of several edges\n\n\
    The format of a rule: docs/edge.md")]
pub(crate) struct WafCommand {
    /// Only this edge, such as edge-2; by default every edge.
    #[arg(long, global = true, default_value = EDGE, hide_default_value = true, value_name = "NAME")]
    edge: String,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the rules of each edge: mode, engine, cost, and counts.
    List {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Show one rule, with its pattern and the cases that fail.
    Show {
        /// Name of the rule.
        rule: String,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Try every rule of a file or folder with its cases; exit with 1 if a verdict or a cost is wrong.
    Test {
        /// File or folder; by default the folder `waf` of the checkout.
        path: Option<PathBuf>,
    },
    /// Apply the rule of a file, if its cases pass.
    Apply {
        /// The file, named like the rule.
        file: PathBuf,
        /// Apply it even if a case fails, or the edges have no CPU to spare. For drills: this is how outages begin.
        #[arg(long)]
        force: bool,
        /// Apply it in one edge first, for this long, such as 10s. If it costs too much there, it is taken back and
        /// the others never get it.
        #[arg(long, value_name = "DURATION")]
        canary: Option<String>,
        /// Apply it in the staging edge first (`lab up --staging`), for this long, such as 15s, with the attacks of the
        /// probes. If it costs too much there, it is taken back and the others never get it.
        #[arg(long, value_name = "DURATION", conflicts_with = "lasts")]
        staging: Option<String>,
        /// End it by itself after this time, such as 10m; whole seconds from 1s to 24h. The rule's file decides then: a
        /// mode that was set by hand before is gone. By default it lasts until it is restored or its edge ends.
        #[arg(long = "for", value_name = "DURATION", value_parser = lasts::parse, conflicts_with = "canary")]
        lasts: Option<Duration>,
    },
    /// Switch one rule off.
    Disable {
        /// Name of the rule.
        rule: String,
    },
    /// Use the kill switch: every request passes unchecked, and running searches end.
    Kill,
    /// Undo what was set for one rule, or for all: the files decide again.
    Restore {
        /// Name of the rule; by default all, and the kill switch.
        rule: Option<String>,
    },
}

impl WafCommand {
    /// Runs the command.
    ///
    /// # Errors
    /// When an edge cannot be reached or refuses, or a rule has mistakes.
    pub(crate) async fn run(self, place: &Installation) -> Result<ExitCode> {
        let edge = self.edge.as_str();
        match self.command {
            Command::List { json } => list(place, edge, json).await,
            Command::Show { rule, json } => show(place, edge, &rule, json).await,
            Command::Test { path } => {
                let tried =
                    cases::tried(&path.map_or_else(|| anyhow::Ok(place.home()?.root.join("waf")), Ok)?)?;
                block(&tried.said);
                Ok(if tried.sound { ExitCode::SUCCESS } else { ExitCode::FAILURE })
            }
            Command::Apply { file, force, lasts: Some(lasts), .. } => {
                apply_for(place, edge, (file.as_path(), force), lasts).await
            }
            Command::Apply { file, force, canary, staging, lasts: None } => {
                apply(place, edge, (file.as_path(), force), [staging, canary]).await
            }
            Command::Disable { rule } => {
                let off =
                    async |edge: &Replica| edge.set_rule_mode(&rule, "off").await.map(|rule| now(&rule));
                on_each(place, edge, off).await
            }
            Command::Kill => {
                let off =
                    async |edge: &Replica| edge.switch_firewall(false).await.map(|all| print::state(&all));
                on_each(place, edge, off).await
            }
            Command::Restore { rule } => {
                let back = async |edge: &Replica| {
                    let restored = match &rule {
                        Some(rule) => edge.restore_rule(rule).await,
                        None => edge.restore_firewall().await,
                    };
                    restored.map(|all| print::state(&all))
                };
                on_each(place, edge, back).await
            }
        }
    }
}

async fn list(place: &Installation, edge: &str, as_json: bool) -> Result<ExitCode> {
    let mut all = Map::new();
    for replica in place.replicas(Some(edge)).await? {
        let firewall = replica.firewall().await?;
        if as_json {
            all.insert(replica.to_string(), serde_json::to_value(&firewall)?);
        } else {
            print::firewall(&replica, &firewall);
        }
    }
    if as_json {
        json(&all)?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn show(place: &Installation, edge: &str, rule: &str, as_json: bool) -> Result<ExitCode> {
    let mut all = Map::new();
    for replica in place.replicas(Some(edge)).await? {
        let rule = replica.rule(rule).await?;
        if as_json {
            all.insert(replica.to_string(), serde_json::to_value(&rule)?);
        } else {
            print::rule(&replica, &rule);
        }
    }
    if as_json {
        json(&all)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// First where no user is, and in one edge, for as long as these times say.
async fn apply(
    place: &Installation,
    edge: &str,
    (file, force): (&Path, bool),
    [staging, canary]: [Option<String>; 2],
) -> Result<ExitCode> {
    let (id, text) = sound(file, force)?;
    let first = |target: &str, canary: Option<String>| {
        let (target, rule) = (target.to_owned(), id.clone());
        Action::PushRule { target, rule, file: text.clone(), canary }
    };
    if staging.is_some() {
        // A rule that is refused must not stay in the staging edge.
        cpu::to_spare(place, edge, force).await?;
        if !step_by_step(place, &first(STAGING, staging)).await? {
            return Ok(ExitCode::FAILURE);
        }
    }
    cpu::to_spare(place, edge, force).await?;
    if canary.is_some() {
        let done = step_by_step(place, &first(edge, canary)).await?;
        return Ok(if done { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    let push = async |edge: &Replica| edge.push_rule(&id, text.clone()).await.map(|rule| now(&rule));
    on_each(place, edge, push).await
}

/// On every edge, for a time.
async fn apply_for(
    place: &Installation,
    edge: &str,
    (file, force): (&Path, bool),
    lasts: Duration,
) -> Result<ExitCode> {
    let (id, text) = sound(file, force)?;
    cpu::to_spare(place, edge, force).await?;
    let push = async |edge: &Replica| {
        let pushed = edge.push_rule_for(&id, text.clone(), lasts.as_secs()).await;
        pushed.map(|rule| format!("{}: {}, for {}", rule.id, rule.mode, humantime::format_duration(lasts)))
    };
    on_each(place, edge, push).await
}

/// The name and text of a rule whose cases pass, or which is wanted all the same.
fn sound(file: &Path, force: bool) -> Result<(String, String)> {
    let text = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let id = file.file_stem().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
    let tried = cases::tried(file)?;
    if !tried.sound {
        block(&tried.said);
        if !force {
            bail!("not applied: correct the rule, or add --force to see what happens");
        }
    }
    Ok((id, text))
}

/// One edge first, and the others if that went well: whether it is in force. Ctrl-C takes back what was pushed.
async fn step_by_step(place: &Installation, push: &Action) -> Result<bool> {
    let (switches, tools) = (place.switches()?, Tools::default());
    let stop = CancellationToken::new();
    let words = "\ntaking the rule back";
    let listening =
        tokio::spawn(signals::listen(stop.clone(), CancellationToken::new(), Hangup::Ends, words));
    let pushed = stop.run_until_cancelled(push.run(&switches, &tools, place.token())).await;
    let stopped = pushed.is_none();
    let outcomes = match (pushed, push.undo()) {
        (Some(outcomes), _) => outcomes?,
        (None, Some(undo)) => undo.run(&switches, &tools, place.token()).await?,
        (None, None) => Vec::new(),
    };
    listening.abort();
    let failed: Vec<String> = outcomes
        .iter()
        .filter(|outcome| !outcome.ok)
        .map(|outcome| format!("{}: {}", outcome.replica, outcome.text))
        .collect();
    for outcome in outcomes.iter().filter(|outcome| outcome.ok) {
        out!("{}: {}", outcome.replica, outcome.text);
    }
    if failed.is_empty() {
        return Ok(!stopped);
    }
    bail!("stopped:\n  {}", failed.join("\n  "))
}

/// What a rule does now, in a few words.
fn now(rule: &Rule) -> String {
    let pushed = if rule.pushed { ", until it is restored or the edge ends" } else { "" };
    format!("{}: {}{pushed}", rule.id, rule.mode)
}

/// Acts on each edge, even if one before it failed: what is killed here has to stop everywhere it can.
async fn on_each(
    place: &Installation,
    edge: &str,
    act: impl AsyncFn(&Replica) -> switchboard::Result<String>,
) -> Result<ExitCode> {
    let mut failed = Vec::new();
    for replica in place.replicas(Some(edge)).await? {
        match act(&replica).await {
            Ok(text) => out!("{replica}: {text}"),
            Err(error) => failed.push(format!("{replica}: {error}")),
        }
    }
    if failed.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    bail!("not everywhere:\n  {}", failed.join("\n  "))
}
