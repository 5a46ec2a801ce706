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
    /// no act is removed when the run waits for that; with `vain`, because its acts are known not to help, so is that of one
    /// whose acts are done.
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
        let (mut removed, mut lasts) = (false, !self.fault.ends_by_itself());
        loop {
            // What does not end by itself is taken back in time, even if no step waits for a person's work.
            if lasts && Instant::now() > over {
                self.bench.repair(self.fault).await?;
                lasts = false;
            }
            match word(&run["state"]) {
                "ended" => {
                    *self.bench.run.lock() = None;
                    return Ok(played(&run, acts, removed));
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
                _ if !removed && (!acts || (vain && acts_are_over(&run))) && waits(&run) => {
                    self.bench.repair(self.fault).await?;
                    removed = true;
                }
                _ => {}
            }
            sleep(LOOK).await;
            run = one.get(&format!("/api/v1/runbook-runs/{id}"), &[]).await?;
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

fn played(run: &Value, acts: bool, removed: bool) -> Played {
    let done = |step: &Value| word(&step["kind"]) == "act" && word(&step["state"]) == "done";
    Played {
        ending: word(&run["ending"]).to_owned(),
        why: word(&run["why"]).to_owned(),
        acts,
        acted: each(&run["steps"]).iter().any(done),
        removed,
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
}
