//! A run at a terminal: each step is shown with its values before it is done, and timed. Answers may come from a pipe; at its end
//! the run stays as it is, and can be continued on its page or by another command.

use std::{collections::BTreeSet, io, process::ExitCode, time::Duration};

use anyhow::Result;
use observe::ControlRoom;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{
    act,
    print::{self, at, each, lasting, word},
};
use crate::terminal::out;

/// How often it looks whether something has happened.
const PERIOD: Duration = Duration::from_millis(300);

/// What a person wants.
#[derive(Debug, PartialEq, Eq)]
enum Wish {
    /// Do the step.
    Do,
    /// Take this branch.
    Choose(String),
    /// Leave it out.
    Skip,
    /// End the run.
    Stop,
    /// Leave the run as it is.
    Leave,
}

/// Follows a run until it is over, and asks where it waits for somebody.
pub(super) async fn follow(room: &ControlRoom, mut run: Value) -> Result<ExitCode> {
    let id = word(&run["id"]).to_owned();
    out!("{id}  {}: {}", word(&run["runbook"]), word(&run["title"]));
    out!("the same run as a page: {}/runbook-runs/{id}", room.base());
    let (mut shown, mut asked) = (BTreeSet::new(), false);
    loop {
        passed(&run, &mut shown);
        match word(&run["state"]) {
            "ended" => {
                print::ending(&run);
                let fine = run["ending"] == "succeeded";
                return Ok(if fine { ExitCode::SUCCESS } else { ExitCode::FAILURE });
            }
            "waiting_for_you" => {
                run = match ask(&run)? {
                    // The step that was shown, and no other.
                    Wish::Do => act::post(room, &id, "confirm", &json!({ "place": place(&run) })).await?,
                    Wish::Choose(branch) => {
                        let body = json!({ "place": place(&run), "branch": branch });
                        act::post(room, &id, "confirm", &body).await?
                    }
                    Wish::Skip => {
                        let why = line("why is it left out?")?.unwrap_or_default();
                        act::post(room, &id, "skip", &json!({ "why": or(&why, "not needed") })).await?
                    }
                    Wish::Stop => {
                        let why = line("why does it end?")?.unwrap_or_default();
                        act::post(room, &id, "stop", &json!({ "why": or(&why, "ended at the terminal") }))
                            .await?
                    }
                    Wish::Leave => {
                        out!("{id} waits: lab runbook confirm {id}");
                        return Ok(ExitCode::FAILURE);
                    }
                };
                continue;
            }
            "waiting_for_approval" if !asked => {
                asked = true;
                print::request(&run);
                out!("somebody else: lab runbook approve {id} --as NAME");
            }
            "waiting_for_approval" => {}
            _ => asked = false,
        }
        sleep(PERIOD).await;
        run = room.get(&format!("/api/v1/runbook-runs/{id}"), &[]).await?;
    }
}

/// Prints the steps that have been passed since the last look, with the time since the start.
fn passed(run: &Value, shown: &mut BTreeSet<String>) {
    let started = at(&run["started_at"]);
    for step in each(&run["steps"]) {
        let over = matches!(word(&step["state"]), "done" | "skipped" | "failed");
        if over && shown.insert(word(&step["place"]).to_owned()) {
            print::step(step);
            if let Some((from, until)) = started.zip(at(&step["at"])) {
                out!("            after {}", lasting((until - from).num_seconds()));
            }
        }
    }
}

/// The step that is next.
fn now(run: &Value) -> Option<&Value> {
    each(&run["steps"]).iter().find(|step| step["state"] == "now")
}

fn place(run: &Value) -> Option<&str> {
    now(run).and_then(|step| step["place"].as_str())
}

/// Shows the step that is next, and asks.
fn ask(run: &Value) -> Result<Wish> {
    if let Some(step) = now(run) {
        let acts = matches!(word(&step["kind"]), "act" | "undo");
        out!("");
        out!("{} ({})", word(&step["name"]), word(&step["kind"]));
        out!("  {}", word(&step["what"]));
        let branches = each(&step["branches"]);
        if !branches.is_empty() {
            return choose(branches);
        }
        out!("  {}: {}", if acts { "will be done" } else { "will be asked" }, word(&step["text"]));
    }
    loop {
        let Some(said) = line("do it? y, skip or stop; then Enter")? else { return Ok(Wish::Leave) };
        if let Some(wish) = wish(&said) {
            return Ok(wish);
        }
    }
}

/// Shows the branches of a decision, and asks for one.
fn choose(branches: &[Value]) -> Result<Wish> {
    for branch in branches {
        let condition = branch["condition"].as_str().map_or_else(String::new, |it| format!("  ({it})"));
        out!("  {:20} {}{condition}", word(&branch["name"]), word(&branch["what"]));
    }
    loop {
        let Some(said) = line("which one? its name, or stop; then Enter")? else { return Ok(Wish::Leave) };
        if let Some(wish) = choice(&said, branches) {
            return Ok(wish);
        }
    }
}

/// One of the branches, or the end of the run.
fn choice(said: &str, branches: &[Value]) -> Option<Wish> {
    let said = said.trim();
    if branches.iter().any(|branch| branch["name"] == said) {
        return Some(Wish::Choose(said.to_owned()));
    }
    (said == "stop").then_some(Wish::Stop)
}

fn wish(said: &str) -> Option<Wish> {
    match said.trim() {
        "y" | "yes" => Some(Wish::Do),
        "s" | "skip" => Some(Wish::Skip),
        "stop" => Some(Wish::Stop),
        _ => None,
    }
}

/// What is typed, or comes through a pipe; nothing at its end.
fn line(question: &str) -> Result<Option<String>> {
    out!("{question}");
    let mut said = String::new();
    Ok((io::stdin().read_line(&mut said)? > 0).then(|| said.trim().to_owned()))
}

fn or<'t>(text: &'t str, other: &'t str) -> &'t str {
    if text.is_empty() { other } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_branch_is_chosen_by_its_whole_name() {
        let branches = [json!({ "name": "full" }), json!({ "name": "hung" })];
        assert_eq!(choice(" full ", &branches), Some(Wish::Choose("full".to_owned())));
        assert_eq!(choice("stop", &branches), Some(Wish::Stop));
        for unclear in ["", "y", "ful", "skip"] {
            assert_eq!(choice(unclear, &branches), None, "{unclear}");
        }
    }

    #[test]
    fn only_whole_words_and_y_do_something() {
        assert_eq!(wish("y\n"), Some(Wish::Do));
        assert_eq!(wish(" skip "), Some(Wish::Skip));
        assert_eq!(wish("stop"), Some(Wish::Stop));
        for unclear in ["", "n", "st", "Y?"] {
            assert_eq!(wish(unclear), None, "{unclear}");
        }
    }
}
