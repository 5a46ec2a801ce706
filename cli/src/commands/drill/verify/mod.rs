//! `lab drill verify`: runs drills one after the other, as proofs, and judges what came back.

mod junit;
pub(in crate::commands) mod kit;
pub(in crate::commands::drill) mod lanes;
pub(crate) mod laps;
mod measured;
mod papers;
pub(crate) mod pick;
pub(crate) mod proof;
pub(crate) mod run;
mod variants;

use std::{
    collections::BTreeMap,
    path::PathBuf,
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use clap::Args;
use drill::{Drill, model::Variant};

use self::{
    kit::Stock,
    lanes::Queue,
    papers::Papers,
    pick::Pick,
    proof::{Proof, SKIPPED},
    run::{NEVER, Responder, Wishes, begin, finished, order, proven, unbegun},
};
use super::{
    client::{Desk, Order},
    files,
    live::Live,
    view::Run,
};
use crate::{installation::Installation, terminal::json};

/// Proves drills, one after the other: the system is healthy, or it says what is not; inject; signals, pages
/// and the causal path in time, and no other page; wrong actions do not help where the drill says so; the
/// solution does; users are served, nothing is left; reset, and proven clean. A drill that you name is then proven
/// with each of its action items, and what it costs people is compared. Exits with 1 if one failed.
/// Ctrl-C aborts the current run, and waits until it has been reset.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    lab drill verify first-page noon\n  \
    lab drill verify --all --junit drills.xml --markdown drills.md\n  \
    lab drill verify --all --lanes 2                                   on two labs, with what drills need\n  \
    lab drill verify --changed origin/main --sample 2 --at-most 8m    before a merge\n  \
    lab drill verify noon --responder nothing                          must fail\n  \
    lab drill verify cdn-waf-outage                                    without its action items, and with each")]
pub(crate) struct Verify {
    #[command(flatten)]
    pick: Pick,
    /// Decides what the faults hit. Each drill's own by default.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// What is tried.
    #[arg(long, value_enum, default_value_t = Responder::Solution, value_name = "RESPONDER")]
    responder: Responder,
    /// Begin no further drill after this time, such as 8m; those that are left are named.
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    at_most: Option<Duration>,
    /// Number of labs to prove on at the same time. From 2 on, others are started beside this one and removed at the
    /// end: with as many replicas, or with what drills need and this lab lacks. Drills that need the machine to
    /// themselves run last.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=4))]
    lanes: u8,
    /// Prove drills that are not named with each of their action items, too.
    #[arg(long)]
    variants: bool,
    /// Show when each signal was seen, when it has to be seen, and where the time of each drill went.
    #[arg(long)]
    timings: bool,
    /// Write JUnit to this file.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Write a report in Markdown to this file.
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
    /// Write how soon each drill was detected to this file. `just generate` reads drills/measured.json for
    /// docs/failure-modes.md. The times of other drills in the file stay; those of each drill are written once it is proven.
    #[arg(long, value_name = "FILE")]
    measured: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// What proofs are made with.
struct Stage<'s> {
    place: &'s Installation,
    desk: Desk,
    wishes: Wishes,
    /// When the first proof began.
    begun: Instant,
    /// Whether another lab proves drills meanwhile.
    shares: bool,
}

impl<'s> Stage<'s> {
    async fn of(place: &'s Installation, who: Option<String>) -> Result<Self> {
        let desk = Desk::instructor(place, who).await?;
        Ok(Self { place, desk, wishes: Wishes::listen(), begun: Instant::now(), shares: false })
    }

    /// One line for the run that is on; nothing while several labs would write over each other.
    fn live(&self) -> Live {
        if self.shares { Live::silent() } else { Live::new() }
    }
}

impl Verify {
    /// Runs the command.
    pub(crate) async fn run(&self, place: &Installation, who: Option<String>) -> Result<ExitCode> {
        let home = place.home()?;
        let drills = files::all(&home.root)?;
        let stock = if self.lanes == 1 { Stock::here(place)? } else { None };
        let names = self.pick.of(&drills, &home.root, place.is_here(), stock.as_ref())?;
        let stage = Stage::of(place, who.clone()).await?;
        let (wishes, begun) = (stage.wishes.clone(), stage.begun);
        let mut papers = match self.lanes {
            1 => self.alone(&stage, &drills, &names).await?,
            _ => self.on_several(stage, who, &drills, &names).await?,
        };
        self.write(&papers)?;
        if self.json {
            json(&papers.proofs)?;
        } else {
            self.print(&papers, begun.elapsed());
        }
        if let Some(why) = papers.broken.take() {
            return Err(why);
        }
        // No proof at all proves nothing.
        let proven = papers.proofs.iter().any(Proof::passed);
        let all = proven && papers.proofs.iter().all(|proof| proof.passed() || proof.skipped());
        let fine = all && !wishes.enough.is_cancelled();
        Ok(if fine { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    /// Proves all of these on one lab.
    async fn alone(
        &self,
        stage: &Stage<'_>,
        drills: &BTreeMap<String, Drill>,
        names: &[String],
    ) -> Result<Papers> {
        let queue = Queue::of(names);
        let mut papers = self.lane(stage, drills, &queue).await?;
        papers.left.extend(queue.rest());
        Ok(papers)
    }

    /// Proves what is in the queue, until it is empty or there is a reason to stop.
    async fn lane(
        &self,
        stage: &Stage<'_>,
        drills: &BTreeMap<String, Drill>,
        queue: &Queue<'_>,
    ) -> Result<Papers> {
        let mut papers = Papers::default();
        loop {
            if self.is_over(stage) || papers.broken.is_some() {
                return Ok(papers);
            }
            let Some((place, name)) = queue.take() else { return Ok(papers) };
            let drill = drills.get(name).with_context(|| format!("there is no drill `{name}`"))?;
            let proof = self.proof(stage, drill, None, &place, &mut papers).await;
            self.tell(&proof, queue.width());
            papers.proofs.push(proof.clone());
            // At once: what took long is not lost if somebody kills this command.
            if let Some(path) = &self.measured
                && let Err(error) = measured::write(path, std::slice::from_ref(&proof))
            {
                papers.broken = Some(error);
            }
            if proof.passed() && self.compares(drill) {
                self.items(stage, drill, &proof, &mut papers).await;
            }
        }
    }

    /// Whether a drill is proven with each of its action items, too.
    fn compares(&self, drill: &Drill) -> bool {
        let asked = self.pick.is_named() || self.variants;
        asked && self.responder == Responder::Solution && !drill.variants.is_empty()
    }

    /// Proves a drill with each of its action items.
    async fn items(&self, stage: &Stage<'_>, drill: &Drill, without: &Proof, papers: &mut Papers) {
        for variant in &drill.variants {
            let name = variants::name(drill, Some(variant));
            if stage.wishes.enough.is_cancelled() || papers.broken.is_some() {
                papers.left.push(name);
                continue;
            }
            let mut proof = self.proof(stage, drill, Some(variant), &variant.name, papers).await;
            let ran = proof.passed();
            variants::compare(variant, without, &mut proof);
            if ran && !proof.passed() {
                papers.junit.push(junit::refused(&name, "the action item is not worth what the drill says"));
            }
            self.tell(&proof, name.len());
            if ran && !self.json {
                variants::print(variant, without, &proof);
            }
            papers.proofs.push(proof);
        }
    }

    /// Says what came of a proof, as soon as it is known.
    fn tell(&self, proof: &Proof, width: usize) {
        if !self.json {
            proof.row(width).print();
            if !proof.passed() {
                proof.print_failures();
            }
        }
    }

    /// Proves one drill, or says why that was not possible.
    async fn proof(
        &self,
        stage: &Stage<'_>,
        drill: &Drill,
        variant: Option<&Variant>,
        place: &str,
        papers: &mut Papers,
    ) -> Proof {
        let begun = Instant::now();
        let name = variants::name(drill, variant);
        let proof = match self.one(stage, drill, variant, place, papers).await {
            Ok(proof) => proof,
            // What was proven before it must not be lost.
            Err(error) => {
                let why = format!("not proven: {error:#}");
                papers.junit.push(junit::refused(&name, &why));
                papers.broken = Some(error);
                unbegun(drill, why, begun)
            }
        };
        Proof { drill: name, ..proof }
    }

    async fn one(
        &self,
        stage: &Stage<'_>,
        drill: &Drill,
        variant: Option<&Variant>,
        place: &str,
        papers: &mut Papers,
    ) -> Result<Proof> {
        let (desk, begun) = (&stage.desk, Instant::now());
        let name = variants::name(drill, variant);
        let order = order(drill, self.responder, self.seed);
        let order = Order { variant: variant.map(|variant| variant.name.clone()), ..order };
        let run = match begin(desk, &order, &stage.wishes).await? {
            Ok(run) => run,
            // If you name a drill, you want to know that it cannot run; of all drills, only those that can run are proven.
            Err(why) if why.contains(NEVER) && !self.pick.is_named() => {
                papers.junit.push(junit::skipped(&name, &why));
                return Ok(Proof { verdict: SKIPPED.to_owned(), ..unbegun(drill, why, begun) });
            }
            Err(why) => {
                papers.junit.push(junit::refused(&name, &why));
                return Ok(unbegun(drill, why, begun));
            }
        };
        let run =
            finished(desk, run, place, stage.live(), &stage.wishes, async |_: &Run| -> Result<()> { Ok(()) })
                .await?;
        match desk.report(run.id, "junit").await {
            Ok(report) => papers.junit.push(named(report, drill, variant)),
            // Nothing is known of the end of a run that was given up.
            Err(error) => papers.junit.push(junit::refused(&name, &error.to_string())),
        }
        if !run.passed() {
            papers.markdown.extend(desk.report(run.id, "markdown").await.ok());
        }
        // With an item, nothing of what the outage shows has to be seen.
        let varied = variant.and_then(|variant| drill.varied(&variant.name));
        let mut proof = proven(varied.as_ref().unwrap_or(drill), &run, self.seed, begun);
        if run.passed() && self.compares(drill) {
            let prometheus = stage.place.prometheus().await?;
            proof.measures = variants::measured(&prometheus, drill, variant, run.truth()).await?;
        }
        Ok(proof)
    }
}

/// A report in JUnit whose suite says with which action item the drill ran.
fn named(report: String, drill: &Drill, variant: Option<&Variant>) -> String {
    let Some(variant) = variant else { return report };
    let suite = |name: &str| format!("<testsuite name=\"{name}\"");
    report.replacen(&suite(&drill.id), &suite(&variants::name(drill, Some(variant))), 1)
}
