//! One lab proves drill after drill.

use std::{collections::BTreeMap, time::Instant};

use anyhow::{Context as _, Result};
use drill::{Drill, model::Variant};

use super::{
    Stage, Verify,
    health::Health,
    junit, measured,
    papers::Papers,
    proof::{Proof, SKIPPED},
    queue::Queue,
    run::{NEVER, Responder, begin, finished, order, proven, unbegun},
    variants,
};
use crate::commands::drill::{client::Order, view::Run};

impl Verify {
    /// Proves all of these on one lab.
    pub(super) async fn alone(
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
    pub(super) async fn lane(
        &self,
        stage: &Stage<'_>,
        drills: &BTreeMap<String, Drill>,
        queue: &Queue<'_>,
    ) -> Result<Papers> {
        let (mut papers, mut health) = (Papers::default(), Health::default());
        loop {
            if self.is_over(stage) || papers.must_stop() {
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
                papers.unwritten = Some(error);
            }
            if proof.passed() && self.compares(drill) {
                self.items(stage, drill, &proof, &mut papers).await;
            }
            papers.broken = papers.broken.or_else(|| health.note(&proof));
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
            if stage.wishes.enough.is_cancelled() || papers.must_stop() {
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
    pub(super) fn tell(&self, proof: &Proof, width: usize) {
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
