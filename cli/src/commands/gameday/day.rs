//! A game day in progress: waits, begins, watches, and does what the instructor types.

use std::{thread, time::Duration};

use anyhow::{Result, bail};
use observe::Error;
use serde_json::json;
use tokio::{
    sync::mpsc::{UnboundedReceiver, unbounded_channel},
    time::{Instant, sleep, sleep_until},
};

use super::{
    plan::{Plan, Slot},
    report::Held,
};
use crate::{
    commands::drill::{
        card,
        client::{Desk, LOOK, Order},
        live::Live,
        text::clock,
        verify::run::Wishes,
        view::{Run, entries},
    },
    installation::Installation,
    terminal::{Row, out},
};

/// A game day in progress.
pub(super) struct Day<'d> {
    plan: &'d Plan,
    place: &'d Installation,
    pub(super) desk: Desk,
    keys: UnboundedReceiver<String>,
    wishes: Wishes,
    begun: Instant,
    sealed: bool,
    /// Nothing more begins.
    over: bool,
    /// Incidents whose roles were given.
    staffed: Vec<String>,
}

/// Lines that the instructor types. A thread of its own: a task that reads would keep the command from
/// ending.
fn keys() -> UnboundedReceiver<String> {
    let (sender, receiver) = unbounded_channel();
    thread::spawn(move || {
        for line in std::io::stdin().lines().map_while(std::io::Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

impl<'d> Day<'d> {
    /// A day that begins now.
    pub(super) fn begin(plan: &'d Plan, place: &'d Installation, desk: Desk, sealed: bool) -> Self {
        Self {
            plan,
            place,
            desk,
            keys: keys(),
            wishes: Wishes::listen(),
            begun: Instant::now(),
            sealed,
            over: false,
            staffed: Vec::new(),
        }
    }

    /// All drills, one after the other. `held` has what became of each, even if the day ends with an error.
    ///
    /// # Errors
    /// When the control room is gone for too long, or the person at the terminal leaves.
    pub(super) async fn hold(&mut self, held: &mut Vec<Held>) -> Result<()> {
        let plan = self.plan;
        for (index, slot) in plan.slots.iter().enumerate() {
            let late = self.begun.elapsed() >= plan.length;
            if self.over || late || self.wishes.enough.is_cancelled() {
                held.push(Held::left(slot));
                continue;
            }
            self.wait(slot, index > 0).await;
            if self.over || self.wishes.enough.is_cancelled() {
                held.push(Held::left(slot));
                continue;
            }
            match self.drill(slot).await {
                Ok(one) => held.push(one),
                Err(error) => {
                    held.push(Held::refused(slot, format!("it was left: {error:#}")));
                    held.extend(plan.slots.iter().skip(index + 1).map(Held::left));
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    /// Waits until a drill is due.
    async fn wait(&mut self, slot: &Slot, rests: bool) {
        let rest = if rests { self.plan.rest } else { Duration::ZERO };
        let due = slot.at.map_or(Instant::now() + rest, |at| self.begun + at);
        if due > Instant::now() {
            out!(
                "{} begins in {}; s and Enter: now",
                slot.name(),
                clock((due - Instant::now()).as_secs_f64())
            );
        }
        loop {
            tokio::select! {
                () = sleep_until(due) => return,
                () = self.wishes.enough.cancelled() => return,
                Some(key) = self.keys.recv() => match key.trim() {
                    "s" => return,
                    "e" => {
                        self.over = true;
                        return;
                    }
                    _ => out!("s begins now, e ends the day"),
                },
            }
        }
    }

    async fn drill(&mut self, slot: &Slot) -> Result<Held> {
        let responder = self.plan.responder(slot);
        let order = Order {
            drill: slot.drill.clone(),
            difficulty: slot.difficulty.clone(),
            responder: responder.clone(),
            ..Order::default()
        };
        // As the responder, whose run it is.
        let begun = match Desk::of(self.place, responder).await?.begin(&order).await {
            Ok(run) => self.desk.run(run.id).await?,
            Err(error) => {
                if !matches!(error.downcast_ref::<Error>(), Some(Error::Refused { .. })) {
                    return Err(error);
                }
                out!("{} does not begin: {error}", slot.name());
                return Ok(Held::refused(slot, error.to_string()));
            }
        };
        out!("");
        let note = slot.note.as_ref().map_or_else(String::new, |note| format!(": {note}"));
        out!("{} for {}{note}", card::title(&begun), begun.responder);
        if let Some(truth) = begun.truth.as_ref().filter(|_| !self.sealed) {
            card::print_truth(truth);
        }
        let run = self.follow(begun).await?;
        card::print(&run);
        Ok(Held::of(slot, run))
    }

    /// Stays beside a run until the system is clean again.
    async fn follow(&mut self, begun: Run) -> Result<Run> {
        let (mut live, mut run, mut stopped) = (Live::new(), begun, false);
        let mut acts = 0;
        while !run.is_over() {
            live.show(&run, if run.paused { "p continues" } else { "p pauses" });
            if self.wishes.enough.is_cancelled() && !stopped {
                stopped = true;
                self.tell(&live, &run, "abort", "the game day ended").await;
            }
            tokio::select! {
                () = sleep(LOOK) => {}
                Some(key) = self.keys.recv() => self.key(&live, &run, key.trim()).await,
                () = self.wishes.now.cancelled() => bail!("left before the system was clean"),
            }
            run = self.desk.run(run.id).await?;
            for act in run.acts.iter().skip(acts) {
                live.say(Row::new().text(format_args!("{} did: {act}", run.responder)));
            }
            acts = run.acts.len();
            self.staff(&live).await;
        }
        live.end();
        Ok(run)
    }

    /// What a letter does.
    async fn key(&mut self, live: &Live, run: &Run, key: &str) {
        match key {
            "p" => {
                let body = json!({ "paused": !run.paused });
                if let Err(error) = self.desk.tell(run.id, "pause", &body).await {
                    live.say(Row::new().text(error));
                }
            }
            "t" => live.print(|| card::print_truth(run.truth())),
            "a" => self.tell(live, run, "abort", "the instructor ended it").await,
            "e" => {
                self.over = true;
                live.say(Row::new().text("the day ends after this drill"));
            }
            _ => live.say(
                Row::new().text("p pause or resume, t truth, a abort this drill, e end the day after it"),
            ),
        }
    }

    async fn tell(&self, live: &Live, run: &Run, verb: &str, why: &str) {
        if let Err(error) = self.desk.tell(run.id, verb, &json!({ "why": why })).await {
            live.say(Row::new().text(error));
        }
    }

    /// Gives the roles of the plan to the people, in every incident that opens.
    async fn staff(&mut self, live: &Live) {
        let room = self.desk.room();
        let Ok(answer) = room.get("/api/v1/incidents", &[("open", "true")]).await else { return };
        for incident in entries(&answer, "incidents") {
            let Some(id) = incident["id"].as_str().filter(|id| !self.staffed.iter().any(|one| one == id))
            else {
                continue;
            };
            for (role, person) in &self.plan.roles {
                let path = format!("/api/v1/incidents/{id}/roles");
                let given = room.post(&path, &json!({ "role": role, "person": person })).await;
                let said = match given {
                    Ok(_) => format!("{id}: {person} is {role}"),
                    Err(error) => format!("{id}: {person} is not {role}: {error}"),
                };
                live.say(Row::new().text(said));
            }
            self.staffed.push(id.to_owned());
        }
    }
}
