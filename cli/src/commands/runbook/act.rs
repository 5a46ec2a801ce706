//! What people do to a run: each is one POST, and prints the run as it is afterwards.

use std::{io, process::ExitCode};

use anyhow::{Result, bail};
use clap::Args;
use observe::ControlRoom;
use serde_json::{Value, json};

use super::print::{self, word};
use crate::{commands::ids, terminal::out};

/// A run.
#[derive(Debug, Args)]
pub(super) struct Confirm {
    /// The run, such as RUN-7.
    #[arg(value_parser = ids::run)]
    run: String,
    /// The branch that you choose, if the step is a decision; `lab runbook status` shows them.
    branch: Option<String>,
}

/// A run, and a reason.
#[derive(Debug, Args)]
pub(super) struct Worded {
    /// The run, such as RUN-7.
    #[arg(value_parser = ids::run)]
    run: String,
    /// The reason.
    why: String,
}

/// A run that waits. Shows what it may change, and asks once more, unless the digest is given.
#[derive(Debug, Args)]
pub(super) struct Approve {
    /// The run, such as RUN-7.
    #[arg(value_parser = ids::run)]
    run: String,
    /// The digest that `lab runbook status` shows: with it, the command does not ask.
    #[arg(long, value_name = "DIGEST")]
    digest: Option<String>,
}

/// Posts a verb and returns the run as it is afterwards.
pub(super) async fn post(room: &ControlRoom, run: &str, verb: &str, body: &Value) -> Result<Value> {
    Ok(room.post(&format!("/api/v1/runbook-runs/{run}/{verb}"), body).await?)
}

impl Confirm {
    pub(super) async fn run(self, room: &ControlRoom) -> Result<()> {
        print::whole(&post(room, &self.run, "confirm", &json!({ "branch": self.branch })).await?);
        Ok(())
    }
}

impl Worded {
    pub(super) async fn run(self, room: &ControlRoom, verb: &str) -> Result<()> {
        print::whole(&post(room, &self.run, verb, &json!({ "why": self.why })).await?);
        Ok(())
    }
}

impl Approve {
    pub(super) async fn run(self, room: &ControlRoom) -> Result<ExitCode> {
        let digest = match self.digest {
            Some(digest) => digest,
            None => {
                let run = room.get(&format!("/api/v1/runbook-runs/{}", self.run), &[]).await?;
                if run["request"].is_null() {
                    bail!("{} does not wait for an approval: lab runbook status {}", self.run, self.run);
                }
                print::request(&run);
                out!("approve this? y, then Enter");
                let mut said = String::new();
                io::stdin().read_line(&mut said)?;
                if said.trim() != "y" {
                    out!("not approved; to end the run: lab runbook decline {} WHY", self.run);
                    return Ok(ExitCode::FAILURE);
                }
                word(&run["request"]["digest"]).to_owned()
            }
        };
        print::whole(&post(room, &self.run, "approve", &json!({ "digest": digest })).await?);
        Ok(ExitCode::SUCCESS)
    }
}
