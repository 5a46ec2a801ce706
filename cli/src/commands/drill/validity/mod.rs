//! `lab drill validity`: proves that a proof proves something. A drill whose solution passes may still be
//! worth nothing: if nobody has to do anything, if a blind alert is not noticed, if two runs differ, or if
//! something tells the answer.

mod leaks;
mod plans;
mod replay;
mod sheet;

use std::{fs, path::PathBuf, process::ExitCode, time::Instant};

use anyhow::{Context as _, Result};
use clap::{Args, ValueEnum};
use drill::{Drill, model::FaultKind};
use observe::Peer;
use switchboard::Replica;

use self::{
    leaks::{Leaks, Scan},
    plans::Plans,
    sheet::{Answer, Sheet},
};
use super::{
    client::Desk,
    files,
    live::Live,
    verify::{
        kit::Stock,
        pick::Pick,
        proof::Proof,
        run::{NEVER, Responder, Wishes, begin, finished, order, proven, unbegun},
    },
    view::{Run, View},
};
use crate::{
    home::Home,
    installation::Installation,
    terminal::{block, json, out, say},
};

/// Asks of each drill: does its solution pass? Does doing nothing fail to recover? Does a restart of
/// everything end as it states? Would a proof notice if an alert were deleted, its threshold raised, its
/// metric gone? Do two runs with one seed set the same faults? Does anything that a trainee can read name a
/// fault? Takes three runs per drill. Exits with 1 if an answer is wrong.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    lab drill validity first-page\n  \
    lab drill validity --sample 2                       two, others every day\n  \
    lab drill validity --all --markdown validity.md     all, for hours\n  \
    lab drill validity noon --check mutations --check leaks")]
pub(super) struct Validity {
    #[command(flatten)]
    pick: Pick,
    /// Only this question; may be repeated.
    #[arg(long = "check", value_enum, value_name = "QUESTION")]
    checks: Vec<Check>,
    /// Decides what the faults hit. Each drill's own by default.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Write the table in Markdown to this file.
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Check {
    /// The solution passes.
    Solution,
    /// Doing nothing fails, unless nothing is wrong.
    Nothing,
    /// A restart of every service ends as the drill states.
    RestartAll,
    /// Each mutation of the detection is noticed.
    Mutations,
    /// Two runs with one seed set the same faults.
    Seeds,
    /// Nothing that a trainee can read names a fault.
    Leaks,
}

/// What the questions are asked of.
struct Bench {
    desk: Desk,
    prometheus: Peer,
    replicas: Vec<Replica>,
    /// Where the scan for leaks reads, if the lab is on this machine.
    home: Option<Home>,
    wishes: Wishes,
    seed: Option<u64>,
}

/// A run and what came of it.
struct Done {
    proof: Proof,
    /// Absent if it could not begin.
    run: Option<Run>,
    plans: Plans,
}

impl Validity {
    /// Runs the command.
    pub(super) async fn run(&self, place: &Installation, who: Option<String>) -> Result<ExitCode> {
        let home = place.home()?;
        let drills = files::all(&home.root)?;
        let stock = Stock::here(place)?;
        let names = self.pick.of(&drills, &home.root, place.is_here(), stock.as_ref())?;
        let width = names.iter().map(String::len).max().unwrap_or(0);
        let prometheus = place.prometheus().await?;
        let bench = Bench {
            desk: Desk::instructor(place, who).await?,
            prometheus: Peer::at(prometheus.base()),
            replicas: place.replicas(None).await?,
            home: place.is_here().then_some(home),
            wishes: Wishes::listen(),
            seed: self.seed,
        };
        let (mut sheets, mut skipped) = (Vec::new(), 0);
        for name in &names {
            if bench.wishes.enough.is_cancelled() {
                break;
            }
            let drill = drills.get(name).with_context(|| format!("there is no drill `{name}`"))?;
            let Some(sheet) = self.one(&bench, drill).await? else {
                skipped += 1;
                continue;
            };
            if !self.json {
                sheet.print(width);
            }
            sheets.push(sheet);
        }
        if let Some(path) = &self.markdown {
            fs::write(path, sheet::table(&sheets))
                .with_context(|| format!("cannot write {}", path.display()))?;
        }
        if self.json {
            json(&sheets)?;
        } else {
            out!("");
            block(&sheet::table(&sheets));
        }
        // What was not asked because of Ctrl-C is no right answer.
        let whole = !sheets.is_empty()
            && sheets.len() + skipped == names.len()
            && !bench.wishes.enough.is_cancelled();
        let fine = whole && sheets.iter().all(Sheet::is_right);
        Ok(if fine { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    fn asks(&self, checks: &[Check]) -> bool {
        self.checks.is_empty() || self.checks.iter().any(|check| checks.contains(check))
    }

    /// The answers for a drill; nothing if this lab does not have what it needs.
    async fn one(&self, bench: &Bench, drill: &Drill) -> Result<Option<Sheet>> {
        let (begun, mut sheet) = (Instant::now(), Sheet::of(drill));
        let mut first = None;
        // If you name a drill, you want to know that it cannot run; of all drills, only those that can run are asked.
        let mut skips = !self.pick.is_named();
        if self.asks(&[Check::Solution, Check::Mutations, Check::Seeds]) {
            let done = bench.prove(drill, Responder::Solution, None, skips).await?;
            let Some(done) = done else { return Ok(None) };
            skips = false;
            sheet.pages.clone_from(&done.proof.pages);
            sheet.solution = sheet::solved(&done.proof);
            if self.asks(&[Check::Mutations]) && !drill.is_quiet() {
                bench.mutate(drill, done.run.as_deref(), &mut sheet).await;
            }
            first = Some(done.plans);
        }
        if self.asks(&[Check::Nothing, Check::Seeds, Check::Leaks]) && !bench.wishes.enough.is_cancelled() {
            let mut scan = bench.scan(drill, self.asks(&[Check::Leaks]), &mut sheet).await?;
            let mut leaks = None;
            let probe = scan.as_mut().zip(Some(&mut leaks));
            let done = bench.prove(drill, Responder::Nothing, probe, skips).await?;
            let Some(done) = done else { return Ok(None) };
            skips = false;
            sheet.nothing = sheet::stated(drill.validity.nothing, &done.proof, done.run.as_deref());
            match (scan, leaks) {
                (Some(_), Some(leaks)) => sheet.leaked(leaks),
                (Some(_), None) => sheet.leaks = Answer::Wrong("the run did not get that far".to_owned()),
                (None, _) => {}
            }
            if let Some(first) = first.filter(|_| self.asks(&[Check::Seeds]) && has_points(drill)) {
                sheet.seeds = same(&first, &done.plans);
            }
        }
        if self.asks(&[Check::RestartAll]) && !bench.wishes.enough.is_cancelled() {
            let done = bench.prove(drill, Responder::RestartAll, None, skips).await?;
            let Some(done) = done else { return Ok(None) };
            sheet.restart_all = sheet::stated(drill.validity.restart_all, &done.proof, done.run.as_deref());
        }
        sheet.seconds = begun.elapsed().as_secs_f64();
        Ok(Some(sheet))
    }
}

/// Whether faults decide something by a seed; a rule of the firewall decides nothing.
fn has_points(drill: &Drill) -> bool {
    drill.faults.iter().any(|fault| fault.kind == FaultKind::Point)
}

/// Whether two runs set the same faults.
fn same(first: &Plans, second: &Plans) -> Answer {
    match first.differ(second) {
        _ if first.is_empty() => Answer::Wrong("no fault was seen in any replica".to_owned()),
        None => Answer::Right("same".to_owned()),
        Some(differ) => Answer::Wrong(format!("two runs with one seed differ: {differ}")),
    }
}

impl Bench {
    /// Runs a drill as a proof, and looks at the faults; `scan` looks once nobody has helped for long enough. If it `skips`,
    /// nothing comes of a drill that can never run here, as the control room says.
    async fn prove(
        &self,
        drill: &Drill,
        responder: Responder,
        mut scan: Option<(&mut Scan, &mut Option<Leaks>)>,
        skips: bool,
    ) -> Result<Option<Done>> {
        let begun = Instant::now();
        let run = match begin(&self.desk, &order(drill, responder, self.seed)).await? {
            Ok(run) => run,
            Err(why) if skips && why.contains(NEVER) => {
                say(format_args!("SKIPPED {}: {why}", drill.id));
                return Ok(None);
            }
            Err(why) => {
                let proof = unbegun(drill, why, begun);
                return Ok(Some(Done { proof, run: None, plans: Plans::default() }));
            }
        };
        let mut plans = Plans::default();
        let place = responder.as_str();
        let run =
            finished(&self.desk, run, place, Live::new(), &self.wishes, async |run: &Run| -> Result<()> {
                plans.look(&self.replicas).await;
                if run.phase.starts_with("recover")
                    && let Some((scan, leaks)) = scan.take()
                {
                    *leaks = Some(scan.end().await?);
                }
                Ok(())
            })
            .await?;
        let proof = proven(drill, &run, self.seed, begun);
        Ok(Some(Done { proof, run: Some(run), plans }))
    }

    /// Judges the mutations by a run of the solution.
    async fn mutate(&self, drill: &Drill, run: Option<&View>, sheet: &mut Sheet) {
        let Some(times) = run.and_then(replay::times) else {
            sheet.mutations = Answer::Wrong("the run never set a fault".to_owned());
            return;
        };
        match replay::judge(&self.prometheus, drill, times).await {
            Ok(mutants) => sheet.judge(mutants),
            Err(error) => sheet.mutations = Answer::Wrong(format!("{error:#}")),
        }
    }

    /// A scan that has seen the healthy lab; nothing if there is nothing to give away, or nowhere to read.
    async fn scan(&self, drill: &Drill, asked: bool, sheet: &mut Sheet) -> Result<Option<Scan>> {
        match &self.home {
            _ if !asked || drill.is_quiet() => Ok(None),
            Some(home) => Ok(Some(Scan::begin(home, self.desk.room().base(), drill).await?)),
            None => {
                sheet.leaks = Answer::Open("not here".to_owned());
                sheet.notes.push("leaks are searched in a lab on this machine only".to_owned());
                Ok(None)
            }
        }
    }
}
