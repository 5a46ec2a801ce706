//! The people of a measurement: one confirms each step, another approves, and where a run waits for the work of a person, the cause
//! is removed.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use observe::{ControlRoom, prometheus::Labels};
use serde_json::{Map, Value, json};
use tokio::time::{Instant, sleep};

use super::{bench::Bench, fault::Fault, way::Way};
use crate::commands::runbook::{
    act::post,
    print::{each, word},
    run::{Mode, begin, concerned},
};

/// How long a run may continue after the fault has ended.
const PATIENCE: Duration = Duration::from_secs(600);
/// How long an alert may still fire after the last act until that act counts as in vain. An alert whose runbook has acts ends within
/// about half a minute once one has helped: that is how far the slower page of an objective looks back.
const SHOWS: Duration = Duration::from_secs(75);
/// Pause between two looks.
const LOOK: Duration = Duration::from_millis(300);

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Played {
    /// Such as `succeeded`.
    pub(super) ending: String,
    /// Why.
    pub(super) why: String,
    /// Whether the runbook has an act.
    pub(super) acts: bool,
    /// Whether an act was done.
    pub(super) acted: bool,
    /// Whether a person removed the cause while the run waited.
    pub(super) removed: bool,
    /// Since when the alert has not fired, if it does not at the end of the run.
    pub(super) quiet: Option<Instant>,
}

/// What the people around a run have seen and done so far.
#[derive(Default)]
struct Seen {
    removed: bool,
    /// Since when no act is left, and the run waits.
    acted: Option<Instant>,
    /// Since when the alert has not fired.
    quiet: Option<Instant>,
}

impl Seen {
    /// Takes a look at a run that waits or works.
    fn look(&mut self, run: &Value, now: Instant) {
        if waits(run) && acts_are_over(run) {
            self.acted.get_or_insert(now);
        }
    }

    /// Whether a person removes the cause now: the run waits for that, and has no act that could still end the alert.
    fn removes(&self, run: &Value, acts: bool, vain: bool, now: Instant) -> bool {
        let shown = |acted: Instant| self.quiet.is_none() && now - acted >= SHOWS;
        let in_vain = self.acted.is_some_and(|acted| vain || shown(acted));
        !self.removed && waits(run) && (!acts || in_vain)
    }
}

/// One run, and the people around it.
pub(super) struct Script<'b> {
    bench: &'b Bench<'b>,
    name: &'b str,
    fault: &'b Fault,
}

impl<'b> Script<'b> {
    pub(super) const fn of(bench: &'b Bench<'b>, name: &'b str, fault: &'b Fault) -> Self {
        Self { bench, name, fault }
    }

    /// Runs the runbook with the labels of its alert, and plays the people until it is over. The cause of a runbook that has
    /// no act is removed when the run waits for that, and that of one whose acts are done if the alert still fires [`SHOWS`] later;
    /// with `vain`, because its acts are known not to help, at once.
    pub(super) async fn play(
        &self,
        way: Way,
        vain: bool,
        labels: &Labels,
        broken: Instant,
    ) -> Result<Played> {
        let (one, other) = (self.bench.acting(0), self.bench.acting(1));
        let acts = self.bench.acts(self.name).await?;
        let mode = if way == Way::Manual { Mode::Manual } else { Mode::Auto };
        let incident = concerned(&one, self.name).await?;
        let parameters = self.parameters(labels).await?;
        let mut run = begin(&one, self.name, mode, incident.as_deref(), &parameters).await?;
        let id = word(&run["id"]).to_owned();
        *self.bench.run.lock() = Some(id.clone());
        let over = broken + self.fault.ttl;
        let deadline = over + PATIENCE;
        let (mut seen, mut lasts) = (Seen::default(), !self.fault.ends_by_itself());
        loop {
            self.watch(labels, &mut seen).await;
            // What does not end by itself is taken back in time, even if no step waits for a person's work.
            if lasts && Instant::now() > over {
                self.bench.repair(self.fault).await?;
                lasts = false;
            }
            match word(&run["state"]) {
                "ended" => {
                    *self.bench.run.lock() = None;
                    return Ok(played(&run, acts, &seen));
                }
                _ if Instant::now() > deadline => {
                    post(&one, &id, "stop", &json!({ "why": "it takes too long" })).await?;
                    *self.bench.run.lock() = None;
                    bail!("{id} is not over after {} s: {}", broken.elapsed().as_secs(), word(&run["next"]));
                }
                "waiting_for_you" => {
                    run = post(&one, &id, "confirm", &json!({ "branch": first(&run) })).await?;
                    continue;
                }
                "waiting_for_approval" => {
                    let digest = &run["request"]["digest"];
                    run = post(&other, &id, "approve", &json!({ "digest": digest })).await?;
                    continue;
                }
                // Here a person works, and then looks whether it helped.
                _ => {
                    seen.look(&run, Instant::now());
                    if seen.removes(&run, acts, vain, Instant::now()) {
                        self.bench.repair(self.fault).await?;
                        seen.removed = true;
                    }
                }
            }
            sleep(LOOK).await;
            run = one.get(&format!("/api/v1/runbook-runs/{id}"), &[]).await?;
        }
    }

    /// Sees whether the alert still fires.
    async fn watch(&self, labels: &Labels, seen: &mut Seen) {
        // A Prometheus that is too busy to answer tells nothing.
        if let Ok(fires) = self.bench.still_fires(self.name, labels).await {
            seen.quiet = if fires { None } else { seen.quiet.or_else(|| Some(Instant::now())) };
        }
    }

    /// What the alert says about the parameters of its runbook, and what the page gives.
    async fn parameters(&self, labels: &Labels) -> Result<Map<String, Value>> {
        let runbook = self.bench.room.get(&format!("/api/v1/runbooks/{}", self.name), &[]).await?;
        let mut given = Map::new();
        for parameter in each(&runbook["parameters"]) {
            let value = parameter["label"].as_str().and_then(|label| labels.get(label));
            if let Some(value) = value {
                given.insert(word(&parameter["name"]).to_owned(), Value::from(value.as_str()));
            }
        }
        let page = self.fault.given.iter();
        given.extend(page.map(|(name, value)| (name.clone(), Value::from(value.as_str()))));
        Ok(given)
    }
}

impl Bench<'_> {
    /// The control room, as this one of the people sees it.
    fn acting(&self, person: usize) -> ControlRoom {
        let room: &ControlRoom = &self.room;
        room.clone().acting_as(self.people.get(person).cloned())
    }

    /// Stops the run that is not over, if there is one: what was cancelled or failed left it behind.
    pub(super) async fn end_run(&self) -> Result<()> {
        let left = self.run.lock().take();
        let Some(id) = left else { return Ok(()) };
        let one = self.acting(0);
        let run = one.get(&format!("/api/v1/runbook-runs/{id}"), &[]).await?;
        if word(&run["state"]) != "ended" {
            let why = json!({ "why": "its verification was ended" });
            post(&one, &id, "stop", &why).await.with_context(|| format!("lab runbook stop {id} ends it"))?;
        }
        Ok(())
    }
}

/// The first branch, if the run waits for a decision: whatever is chosen, the run has to end well.
fn first(run: &Value) -> Option<&str> {
    let now = each(&run["steps"]).iter().find(|step| step["state"] == "now")?;
    each(&now["branches"]).first()?["name"].as_str()
}

/// Whether a run waits for something that it does not do itself.
fn waits(run: &Value) -> bool {
    let now = each(&run["steps"]).iter().find(|step| step["state"] == "now");
    now.is_some_and(|step| matches!(word(&step["kind"]), "wait_until" | "verify"))
}

/// Whether no act may follow the step that is next.
fn acts_are_over(run: &Value) -> bool {
    let mut later = each(&run["steps"]).iter().skip_while(|step| step["state"] != "now");
    later.all(|step| word(&step["kind"]) != "act")
}

fn played(run: &Value, acts: bool, seen: &Seen) -> Played {
    let done = |step: &Value| word(&step["kind"]) == "act" && word(&step["state"]) == "done";
    Played {
        ending: word(&run["ending"]).to_owned(),
        why: word(&run["why"]).to_owned(),
        acts,
        acted: each(&run["steps"]).iter().any(done),
        removed: seen.removed,
        quiet: seen.quiet,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_waits_for_a_person_only_when_no_act_is_left() {
        let step = |kind: &str, state: &str| json!({ "kind": kind, "state": state });
        let before =
            json!({ "steps": [step("wait_until", "now"), step("act", "todo"), step("verify", "todo")] });
        assert!(waits(&before) && !acts_are_over(&before));
        let after =
            json!({ "steps": [step("wait_until", "done"), step("act", "done"), step("verify", "now")] });
        assert!(waits(&after) && acts_are_over(&after));
        let at = json!({ "steps": [step("act", "now"), step("verify", "todo")] });
        assert!(!waits(&at) && !acts_are_over(&at));
    }

    #[tokio::test(start_paused = true)]
    async fn a_cause_is_removed_once_the_acts_have_had_the_time_to_help() {
        let step = |kind: &str, state: &str| json!({ "kind": kind, "state": state });
        let run = json!({ "steps": [step("act", "done"), step("verify", "now")] });
        let (begun, mut seen) = (Instant::now(), Seen::default());
        seen.look(&run, begun);
        assert!(seen.removes(&run, false, false, begun) && seen.removes(&run, true, true, begun));
        assert!(!seen.removes(&run, true, false, begun + SHOWS / 2));
        assert!(seen.removes(&run, true, false, begun + SHOWS));
        seen.quiet = Some(begun);
        assert!(!seen.removes(&run, true, false, begun + SHOWS), "the acts have helped");
        let acts = json!({ "steps": [step("wait_until", "now"), step("act", "todo")] });
        let mut early = Seen::default();
        early.look(&acts, begun);
        assert!(!early.removes(&acts, true, true, begun + SHOWS), "an act is left");
    }
}
