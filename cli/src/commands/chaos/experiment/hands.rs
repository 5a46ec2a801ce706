//! Automation during an experiment: switched on or off for a pass, helped by a second person where the file says so,
//! and what it did, as the control room reports it. At the end the switch is as it was before.

use std::time::Duration;

use anyhow::Result;
use chrono::{DateTime, Utc};
use observe::ControlRoom;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::automation::Automation;
use crate::{
    installation::{Installation, Reached},
    terminal::say,
};

const SWITCH: &str = "/api/v1/automation";
const RUNS: &str = "/api/v1/runbook-runs";
/// More runs than a pass can have.
const MOST: &str = "50";
/// Longest wait for runs that are under way at the end of a pass: a proof takes at most minutes.
const OVER: Duration = Duration::from_secs(180);
/// Pause between two looks.
const LOOK: Duration = Duration::from_secs(1);

/// What automation did in a pass.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(super) struct Deeds {
    /// Runs that changed something, each in a line.
    pub(super) acted: Vec<String>,
    /// Runs that did not do all of their steps, with the reason.
    pub(super) held: Vec<String>,
    /// Why automation has switched itself off, if it has.
    pub(super) breaker: Option<String>,
}

/// The switch of automation, and its runs.
pub(super) struct Hands {
    room: Reached<ControlRoom>,
    automation: Automation,
    /// Whether it was on before.
    before: bool,
}

impl Hands {
    /// Of an installation.
    ///
    /// # Errors
    /// When it has no control room, or that does not answer; the same for the others below.
    pub(super) async fn of(place: &Installation, automation: &Automation) -> Result<Self> {
        let room = place.instructor().await?;
        let before = room.get(SWITCH, &[]).await?["on"] == true;
        Ok(Self { room, automation: automation.clone(), before })
    }

    /// Switches automation on or off; on also closes its breaker.
    pub(super) async fn switch(&self, on: bool) -> Result<()> {
        let word = if on { "on" } else { "off" };
        say(format_args!("automation is {word}"));
        let why = format!("an experiment tries what happens while it is {word}");
        self.room.put(SWITCH, &json!({ "on": on, "why": why })).await?;
        Ok(())
    }

    /// Switches it as it was before.
    pub(super) async fn put_back(&self) -> Result<()> {
        let now = self.room.get(SWITCH, &[]).await?["on"] == true;
        if now != self.before {
            self.switch(self.before).await?;
        }
        Ok(())
    }

    /// Approves what waits for a second person, if the file says so.
    pub(super) async fn approve(&self, since: DateTime<Utc>) -> Result<()> {
        if !self.automation.approve {
            return Ok(());
        }
        for run in self.runs(since).await? {
            if let (true, Some(id)) = (waits(&run), run["id"].as_str()) {
                say(format_args!("approving {id} of {}", word(&run["runbook"])));
                let body = json!({ "digest": run["request"]["digest"] });
                // If it has changed meanwhile, the next look shows what there is to approve.
                if let Err(error) = self.room.post(&format!("{RUNS}/{id}/approve"), &body).await {
                    say(format_args!("{id} is not approved: {error}"));
                }
            }
        }
        Ok(())
    }

    /// What automation did since an instant, once its runs are over or wait for a person.
    pub(super) async fn deeds(&self, since: DateTime<Utc>) -> Result<Deeds> {
        let begun = Instant::now();
        loop {
            let runs = self.runs(since).await?;
            let under_way = runs.iter().any(|run| run["state"] != "ended" && !waits(run));
            if !under_way || begun.elapsed() > OVER {
                let switch = self.room.get(SWITCH, &[]).await?;
                return Ok(Deeds::of(&runs, switch["breaker"].as_str()));
            }
            sleep(LOOK).await;
        }
    }

    /// Runs of automation since an instant, of the runbooks that count.
    async fn runs(&self, since: DateTime<Utc>) -> Result<Vec<Value>> {
        let answer = self.room.get(RUNS, &[("limit", MOST)]).await?;
        let runs = answer["runs"].as_array().map_or(&[][..], Vec::as_slice);
        Ok(runs.iter().filter(|run| counts(run, &self.automation, since)).cloned().collect())
    }
}

fn counts(run: &Value, automation: &Automation, since: DateTime<Utc>) -> bool {
    let started: Option<DateTime<Utc>> = run["started_at"].as_str().and_then(|at| at.parse().ok());
    run["by"] == "automation"
        && started.is_some_and(|at| at >= since)
        && automation.runbooks.iter().any(|name| run["runbook"] == name.as_str())
}

fn waits(run: &Value) -> bool {
    run["state"] == "waiting_for_approval"
}

impl Deeds {
    /// Of runs as the control room shows them.
    fn of(runs: &[Value], breaker: Option<&str>) -> Self {
        let mut deeds = Self { breaker: breaker.map(str::to_owned), ..Self::default() };
        // They come newest first.
        for run in runs.iter().rev() {
            if acted(run) {
                deeds.acted.push(line(run));
            }
            if run["ending"] != "succeeded" {
                deeds.held.push(line(run));
            }
        }
        deeds
    }

    /// What is not as the file says, in sentences.
    pub(super) fn wrong(&self, wanted: &Automation) -> Vec<String> {
        let mut wrong = Vec::new();
        let (count, names) = (self.acted.len(), wanted.runbooks.join(", "));
        if (count as u64) < u64::from(wanted.least) {
            let why = if self.held.is_empty() { "no run began".to_owned() } else { self.held.join("; ") };
            let least = wanted.least;
            let found = format!("{count} runs of {names} changed something");
            wrong.push(format!("{found}, stated are at least {least}: {why}"));
        }
        if (count as u64) > u64::from(wanted.most) {
            let most = wanted.most;
            let all = self.acted.join("; ");
            let found = format!("{count} runs of {names} changed something");
            wrong.push(format!("{found}, stated are at most {most}: {all}"));
        }
        match (wanted.held, &self.breaker) {
            (true, None) if self.held.is_empty() => wrong.push("nothing held automation back".to_owned()),
            (true, _) => wrong.extend(self.elsewhere(wanted.held_by.as_deref())),
            (false, Some(why)) => wrong.push(format!("automation has switched itself off: {why}")),
            _ => {}
        }
        wrong
    }

    /// The complaint that no run was held back at the stated step; nothing if one was, or if no step is stated.
    fn elsewhere(&self, step: Option<&str>) -> Option<String> {
        let step = step?;
        // A run says why it has stopped after the name of its step.
        let at = format!(", {step}: ");
        let found = || format!("nothing was held back at {step}: {}", self.held.join("; "));
        (!self.held.iter().any(|line| line.contains(&at))).then(found)
    }

    /// In a cell of a table.
    pub(super) fn words(&self) -> String {
        let mut words = self.acted.clone();
        words.extend(self.held.iter().filter(|line| !self.acted.contains(line)).cloned());
        words.extend(self.breaker.as_ref().map(|_| "automation switched itself off".to_owned()));
        if words.is_empty() { "nothing".to_owned() } else { words.join("; ") }
    }
}

/// Whether a run has changed something that it did not take back.
fn acted(run: &Value) -> bool {
    let list = |name: &str| run[name].as_array().map_or(&[][..], Vec::as_slice);
    let done = list("steps").iter().filter(|step| step["kind"] == "act" && step["state"] == "done").count();
    done > list("undone").len()
}

/// `RUN-7 of TargetDown: succeeded, every step is done`
fn line(run: &Value) -> String {
    let how = run["ending"].as_str().unwrap_or_else(|| word(&run["state"])).replace('_', " ");
    let why = run["why"].as_str().or(run["next"].as_str()).unwrap_or("-");
    format!("{} of {}: {how}, {why}", word(&run["id"]), word(&run["runbook"]))
}

fn word(value: &Value) -> &str {
    value.as_str().unwrap_or("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(id: &str, ending: &str, steps: &Value, undone: &Value) -> Value {
        json!({
            "id": id, "runbook": "TargetDown", "by": "automation", "started_at": "2026-11-29T10:00:00Z",
            "state": "ended", "ending": ending, "why": "because", "steps": steps, "undone": undone,
        })
    }

    fn wanted(least: u32, most: u32, held: bool) -> Automation {
        let runbooks = vec!["TargetDown".to_owned()];
        Automation { runbooks, least, most, held, held_by: None, approve: false }
    }

    fn act(state: &str) -> Value {
        json!([{ "kind": "check", "state": "done" }, { "kind": "act", "state": state }])
    }

    #[test]
    fn only_runs_of_automation_since_the_first_step_count() {
        let since: DateTime<Utc> = "2026-11-29T10:00:00Z".parse().unwrap();
        let one = run("RUN-1", "succeeded", &act("done"), &json!([]));
        let automation = wanted(1, 1, false);
        assert!(counts(&one, &automation, since));
        for (field, value) in
            [("by", "ada"), ("runbook", "DeadLetters"), ("started_at", "2026-11-29T09:59:59Z")]
        {
            let mut other = one.clone();
            other[field] = json!(value);
            assert!(!counts(&other, &automation, since), "{field}");
        }
    }

    #[test]
    fn what_automation_did_is_compared_with_what_it_has_to_do() {
        let helped = run("RUN-1", "succeeded", &act("done"), &json!([]));
        let undone = run("RUN-2", "failed", &act("done"), &json!(["mute TargetDown for 10m"]));
        let stopped = run("RUN-3", "stopped", &act("todo"), &json!([]));
        let all = Deeds::of(&[stopped.clone(), undone, helped.clone()], None);
        assert_eq!(all.acted, ["RUN-1 of TargetDown: succeeded, because"]);
        assert_eq!(all.held.len(), 2, "{all:?}");
        assert_eq!(all.wrong(&wanted(1, 1, true)), Vec::<String>::new());

        let nothing = Deeds::of(&[stopped], None).wrong(&wanted(1, 1, false));
        assert!(nothing[0].contains("0 runs") && nothing[0].contains("RUN-3 of TargetDown: stopped"));
        let often = Deeds::of(&[helped.clone(), helped.clone()], None).wrong(&wanted(0, 1, false));
        assert!(often[0].contains("at most 1"), "{often:?}");
        let free = Deeds::of(&[helped], None);
        assert_eq!(free.wrong(&wanted(0, 1, true)), ["nothing held automation back"]);
        let mut at = run("RUN-4", "stopped", &act("todo"), &json!([]));
        at["why"] = json!("not-ready: expected not status 200, found status 200");
        let at = Deeds::of(&[at], None);
        let by = |step: &str| Automation { held_by: Some(step.to_owned()), ..wanted(0, 0, true) };
        assert_eq!(at.wrong(&by("not-ready")), Vec::<String>::new());
        assert!(at.wrong(&by("ready"))[0].starts_with("nothing was held back at ready: RUN-4"));
        let broken = Deeds::of(&[], Some("2 runs did not help"));
        assert_eq!(broken.wrong(&wanted(0, 1, true)), Vec::<String>::new());
        assert!(broken.wrong(&wanted(0, 1, false))[0].contains("2 runs did not help"));
        assert_eq!((free.words(), Deeds::default().words()), (free.acted[0].clone(), "nothing".to_owned()));
    }
}
