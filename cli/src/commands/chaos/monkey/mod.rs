//! `lab chaos monkey`: kills and breaks at random, and stops when the error budget that it was given is
//! burned. What it finds is what nobody was told of, and what did not come back.

mod report;
mod strikes;

use std::{collections::BTreeSet, fs, path::PathBuf, process::ExitCode, time::Duration};

use anyhow::{Context as _, Result, bail};
use clap::Args;
use rand::RngExt as _;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use self::{
    report::{Report, Struck},
    strikes::{Strike, schedule},
};
use super::{
    blow::{self, Blow},
    eyes::{Budgets, Eyes, burned, most},
};
use crate::{
    commands::written::share,
    installation::Installation,
    signals::{self, Hangup},
    terminal::{block, json, say},
};

/// Pause between two looks.
const LOOK: Duration = Duration::from_secs(1);
/// How long after a strike alerts may still come, and have to be gone.
const AFTER: Duration = Duration::from_secs(60);

/// Kills processes and sets small faults at random, one after the other, on a lab that has load. Every strike
/// ends by itself. Before and during each, the budgets of all objectives are looked at: when one of them has
/// lost the share that the monkey may burn, the monkey stops. Exits with 1 if something did not come back.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    lab chaos monkey                                   an hour, a fifth of the budget, a random seed\n  \
    lab chaos monkey --for 10m --budget 5% --seed 7    repeats the same strikes at the same times\n  \
    lab chaos monkey --dry-run --seed 7                only list them\n\n\
    Ctrl-C ends the present strike and prints the report.")]
pub(super) struct Monkey {
    /// How long: 1m to 1day.
    #[arg(long = "for", value_name = "DURATION", default_value = "1h", value_parser = length)]
    length: Duration,
    /// The share of any objective's error budget that may be burned, such as 20%.
    #[arg(long, value_name = "SHARE", default_value = "20%", value_parser = share)]
    budget: f64,
    /// Chooses what is struck and when; printed, so that you can repeat a run. Random by default.
    #[arg(long)]
    seed: Option<u64>,
    /// Only set faults, kill nothing. In a cluster, nothing is killed anyway.
    #[arg(long)]
    no_kills: bool,
    /// Only list what would be done.
    #[arg(long)]
    dry_run: bool,
    /// Write the report in Markdown to this file.
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

fn length(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(length) if (Duration::from_secs(60)..=Duration::from_secs(86_400)).contains(&length) => Ok(length),
        _ => Err("expected 1m to 1day, such as 1h".to_owned()),
    }
}

/// A run in progress.
struct Hunt<'h> {
    place: &'h Installation,
    eyes: Eyes,
    before: Budgets,
    budget: f64,
    stop: CancellationToken,
}

impl Monkey {
    /// Runs the command.
    pub(super) async fn run(self, place: &Installation) -> Result<ExitCode> {
        let seed = self.seed.unwrap_or_else(|| rand::rng().random_range(0..1_000_000));
        let plan = schedule(seed, self.length, &self.parts(place).await?);
        if self.dry_run {
            block(&report::plan(seed, &plan));
            return Ok(ExitCode::SUCCESS);
        }
        let eyes = Eyes::of(place).await?;
        let before = eyes.budgets().await?;
        if before.is_empty() {
            bail!("no objective has a budget yet: does the load run? see `lab status`");
        }
        let stop = CancellationToken::new();
        let words = "\nmonkey: no more strikes; ending the present one";
        tokio::spawn(signals::listen(stop.clone(), CancellationToken::new(), Hangup::Ends, words));
        let hunt = Hunt { place, eyes, before, budget: self.budget, stop };
        say(format_args!("monkey: seed {seed}, {} strikes planned", plan.len()));
        let mut report = Report { seed, budget: self.budget, ..Report::default() };
        let ended = hunt.all(plan, &mut report).await;
        if let Err(why) = &ended {
            report.ended_early = Some(format!("{why:#}"));
        }
        if let Some(path) = &self.markdown {
            fs::write(path, report.page()).with_context(|| format!("cannot write {}", path.display()))?;
        }
        if self.json {
            json(&report)?;
        } else {
            block(&report.page());
        }
        // What was found until then is written.
        ended?;
        Ok(if report.recovered() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    /// Instances of services on this machine: stores and monitoring are `lab torture`'s business.
    async fn parts(&self, place: &Installation) -> Result<Vec<String>> {
        if self.no_kills || !place.is_here() {
            return Ok(Vec::new());
        }
        Ok(place.replicas(None).await?.iter().map(ToString::to_string).collect())
    }
}

impl Hunt<'_> {
    /// Strikes as planned; whatever happens, the report has the strikes before it.
    async fn all(&self, plan: Vec<Strike>, report: &mut Report) -> Result<()> {
        let (begun, planned) = (Instant::now(), plan.len());
        let ended = self.each(plan, begun, report).await;
        report.seconds = begun.elapsed().as_secs_f64();
        ended?;
        say(format_args!("monkey: {} of {planned} strikes done", report.strikes.len()));
        report.burned = self.spent().await?;
        Ok(())
    }

    async fn each(&self, plan: Vec<Strike>, begun: Instant, report: &mut Report) -> Result<()> {
        let planned = plan.len();
        for (number, strike) in (1..).zip(plan) {
            let due = self.stop.run_until_cancelled(sleep_until(begun + strike.at)).await;
            if due.is_none() {
                report.ended_early = Some("stopped from the terminal".to_owned());
                break;
            }
            report.burned = self.spent().await?;
            if most(&report.burned) >= self.budget {
                report.ended_early = Some("the budget is burned".to_owned());
                break;
            }
            let at = begun.elapsed();
            let seconds = at.as_secs_f64();
            say(format_args!("{seconds:>6.0} s  strike {number} of {planned}: {}", strike.blow));
            let struck = self.strike(&strike, at).await?;
            say(format_args!("          {}", struck.words()));
            report.strikes.push(struck);
        }
        Ok(())
    }

    async fn spent(&self) -> Result<Budgets> {
        Ok(burned(&self.before, &self.eyes.budgets().await?))
    }

    async fn strike(&self, strike: &Strike, at: Duration) -> Result<Struck> {
        let (budgets, quiet) = (self.eyes.budgets().await?, self.eyes.firing(true).await?);
        let mut struck = Struck::of(strike, at);
        let victim = match &strike.blow {
            Blow::Kill { part } => Some((part, blow::now(self.place, part))),
            _ => None,
        };
        strike.blow.strike(self.place, strike.lasts).await?;
        let begun = Instant::now();
        let endured = self.endure(strike.lasts, &mut struck, &quiet).await;
        struck.lasted = begun.elapsed().as_secs_f64();
        // Even after a failure, leave no fault behind.
        strike.blow.undo(self.place).await?;
        endured?;
        if let Some((part, before)) = victim {
            struck.back_after =
                blow::back(self.place, part, before).await.ok().map(|time| time.as_secs_f64());
        }
        self.recover(&mut struck, &quiet).await?;
        struck.burned = burned(&budgets, &self.eyes.budgets().await?);
        Ok(struck)
    }

    /// Looks on, for as long as the strike lasts and the budget allows.
    async fn endure(&self, lasts: Duration, struck: &mut Struck, quiet: &BTreeSet<String>) -> Result<()> {
        let begun = Instant::now();
        while begun.elapsed() < lasts && !self.stop.is_cancelled() {
            sleep(LOOK).await;
            struck.alerts.extend(self.eyes.firing(true).await?.difference(quiet).cloned());
            if most(&self.spent().await?) >= self.budget {
                struck.cut_short = true;
                return Ok(());
            }
        }
        Ok(())
    }

    /// Waits until no page fires that did not fire before; notes what comes meanwhile.
    async fn recover(&self, struck: &mut Struck, quiet: &BTreeSet<String>) -> Result<()> {
        let begun = Instant::now();
        let mut calm = 0_u32;
        while begun.elapsed() < AFTER {
            sleep(LOOK).await;
            struck.alerts.extend(self.eyes.firing(true).await?.difference(quiet).cloned());
            let pages = self.eyes.firing(false).await?;
            calm = if pages.is_subset(quiet) { calm + 1 } else { 0 };
            // Notifications and evaluations are a few seconds behind.
            if calm >= 8 {
                struck.recovered_after = Some((begun.elapsed() - calm * LOOK).as_secs_f64().max(0.0));
                return Ok(());
            }
        }
        Ok(())
    }
}
