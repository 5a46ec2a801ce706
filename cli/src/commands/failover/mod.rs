//! `lab failover`: fences the primary, promotes its replica, and says what that cost.

mod abort;
mod drill;
mod rebuild;

use std::{
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};
use recovery::failover::{Facts, Replica, Stuck, admit, is_complete};
use serde::Serialize;
use supervisor::state::{LabState, PartState};
use tokio::time::sleep;

use crate::{
    backup::{instance, request::SERVER, swap::has_broker},
    failover::{
        Failover, build, half, over,
        watch::{self, Look},
    },
    home::Home,
    parts::postgres::{Local, REPLICA},
    terminal::{json, out, say},
};

/// Longest time until the shop takes orders again after the promotion.
const BACK: Duration = Duration::from_secs(60);
const LOOK: Duration = Duration::from_millis(20);

/// Make the replica the primary.
///
/// First the old primary is fenced: every process of it is ended, and its data are marked so that no server starts on them
/// again. Then the replica replays what it received, is promoted, and takes the address of the old primary; the services
/// connect again. A new replica is built from it. Needs `lab up --replica`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
#[command(after_help = "Examples:\n  \
    lab failover                         refused if the replica is far behind, or nobody saw how far\n  \
    lab failover --dry-run               whether it would be refused, and what it would cost\n  \
    lab failover --force                 accept the loss\n  \
    lab failover drill --replica sync    measure RTO and lost orders in a separate lab\n  \
    lab failover abort                   take back a fence, if the replica was not promoted\n  \
    lab failover rebuild                 copy the primary again, if the replica lost its stream\n\n\
    The old primary's data stay in cluster.fenced, beside the new ones, until the next failover. More: docs/recovery.md")]
pub(crate) struct FailoverCommand {
    /// The server to promote.
    #[arg(long, value_name = "SERVER", value_parser = ["replica"], default_value = "replica")]
    to: String,
    /// Accept the loss of what the replica has not received.
    #[arg(long)]
    force: bool,
    /// Refuse unless this lab has this name, such as sre-lab/.lab: in case this is the wrong terminal.
    #[arg(long, value_name = "NAME")]
    instance: Option<String>,
    /// Only say whether it would be admitted, and what it would cost.
    #[arg(long)]
    dry_run: bool,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Kill the primary of a separate lab under load, and fail over; print RTO and lost orders.
    Drill(drill::Drill),
    /// Take back the fence of a failover that did not promote.
    Abort,
    /// Copy the primary again, and let the replica follow it.
    Rebuild,
    /// What the supervisor does before the first run of the replica, and between two.
    #[command(hide = true)]
    Build,
    /// Begins a failover and leaves it after the promotion. For drills.
    #[command(hide = true)]
    PartWay,
    /// Ends what was left half-way. For drills.
    #[command(hide = true)]
    Settle,
}

/// What a failover cost, as far as the lab itself can know.
#[derive(Debug, Serialize)]
struct Report {
    /// Whether the primary answered until it stopped in order, and its replica received all of it: then nothing is lost.
    planned: bool,
    /// Whether commits waited for the replica: then nothing is lost either.
    sync: bool,
    /// Write-ahead log that the replica had not received when it was last seen, in bytes.
    behind_bytes: Option<u64>,
    /// Seconds without a primary: from the last time that it was seen to the first answer of the new one.
    down_seconds: f64,
    /// The same until every service that needs the database was ready.
    rto_seconds: f64,
}

impl FailoverCommand {
    /// Runs the command.
    ///
    /// # Errors
    /// A sentence; it says so if something was changed.
    pub(crate) async fn run(self, home: &Home) -> Result<ExitCode> {
        // A copy of every row: for its owner alone.
        rustix::process::umask(rustix::fs::Mode::RWXG | rustix::fs::Mode::RWXO);
        match &self.command {
            None => self.fail_over(home).await,
            Some(Command::Drill(drill)) => drill.run(home).await,
            Some(Command::Abort) => abort::abort(home).await,
            Some(Command::Rebuild) => rebuild::rebuild(home).await,
            Some(Command::Build) => {
                let port = home.lab()?.port(SERVER).context("this lab has no PostgreSQL")?;
                build::build(home, port)?;
                Ok(ExitCode::SUCCESS)
            }
            Some(Command::PartWay) => {
                half::begin(home, &running(home)?)?;
                Ok(ExitCode::SUCCESS)
            }
            Some(Command::Settle) => {
                half::settle(home).await?;
                Ok(ExitCode::SUCCESS)
            }
        }
    }

    async fn fail_over(&self, home: &Home) -> Result<ExitCode> {
        if let Some(typed) = &self.instance {
            is_here(&instance(home), typed)?;
        }
        let state = running(home)?;
        let primary = state.part(SERVER).context("this lab has no PostgreSQL")?;
        if state.part(REPLICA).is_none() {
            return Err(Stuck::NoReplica.into());
        }
        let local = Local::of(home)?;
        let facts = Failover::new(&local, Some(home)).facts()?;
        let look = watch::last(home);
        let now = Utc::now();
        let seen = look.map(|look| look.aged(now));
        admit(facts, seen, self.force)?;
        let answers = facts.primary_runs && primary.probe.ask().await.is_ok();
        if self.dry_run {
            say_what_would_be(facts, answers, look);
            return Ok(ExitCode::SUCCESS);
        }
        // A primary that does not answer has been down since it was last seen.
        let since = if answers { now } else { look.map_or(now, |look| look.at.min(now)) };
        say(format!(
            "failover to the {}: the primary {}, and will be fenced",
            self.to,
            if answers { "answers" } else { "does not answer" }
        ));
        let in_order = over::take_over(home, &state).await?;
        let down_seconds = seconds(since);
        until_served(&state).await?;
        let report = Report {
            planned: is_complete(seen, answers, in_order),
            sync: look.is_some_and(|look| look.seen.sync),
            behind_bytes: look.map(|look| look.seen.behind_bytes),
            down_seconds,
            rto_seconds: seconds(since),
        };
        if self.json {
            json(&report)?
        } else {
            print(&report)
        }
        // Only now: until here nobody waits for it, except commits of a synchronous lab.
        over::until_built(home).await?;
        say(
            "a new replica follows the new primary; with lab up --backups, a backup of its timeline is made now",
        );
        remind_of_topics(&report, &state);
        Ok(ExitCode::SUCCESS)
    }
}

/// Succeeds if this is the name of the instance.
///
/// # Errors
/// When it is that of another one.
fn is_here(instance: &str, typed: &str) -> Result<()> {
    if typed == instance {
        return Ok(());
    }
    bail!("this lab is {instance}, and not {typed}: nothing was changed. Is this the right terminal?")
}

/// What a failover would do, in a sentence.
fn say_what_would_be(facts: Facts, answers: bool, look: Option<Look>) {
    let primary = if answers { "answers" } else { "does not answer" };
    let cost =
        look.map_or_else(|| "nobody saw how far behind it is".to_owned(), |look| look.sentence(Utc::now()));
    if facts.replica == Replica::Standby {
        out!("would fence the primary, which {primary}, and promote the replica: {cost}");
    } else {
        out!("would continue a failover: the replica was promoted, and gets the address of the primary");
    }
}

fn print(report: &Report) {
    out!(
        "no primary for {:.1} s; every service ready after {:.1} s",
        report.down_seconds,
        report.rto_seconds
    );
    match (report.planned, report.sync, report.behind_bytes) {
        (true, ..) => {
            out!("nothing is lost: the primary stopped in order, and the replica received all of it")
        }
        (_, true, _) => out!("nothing is lost: every commit had waited for the replica"),
        (_, _, Some(bytes)) => out!(
            "the replica was last seen {bytes} bytes behind: orders accepted after that may be lost, and their callers \
             can send them again with the same Idempotency-Key"
        ),
        (_, _, None) => out!("nobody saw how far behind the replica was: accepted orders may be lost"),
    }
}

/// A broker that is not the lab's keeps messages about orders that were lost.
fn remind_of_topics(report: &Report, state: &LabState) {
    if !(report.planned || report.sync || has_broker(state)) {
        say(
            "your broker may keep messages about orders that were lost: stop order-worker, and delete its topics orders and \
             order-outcomes",
        );
    }
}

fn seconds(since: DateTime<Utc>) -> f64 {
    (Utc::now() - since).to_std().unwrap_or_default().as_secs_f64()
}

fn running(home: &Home) -> Result<LabState> {
    let state = home.lab()?;
    if !state.supervisor.alive() {
        bail!("the supervisor was killed, and it has to start the new primary: `lab up` recovers");
    }
    Ok(state)
}

/// Waits until every service that was started after the database is ready.
async fn until_served(state: &LabState) -> Result<()> {
    let deadline = Instant::now() + BACK;
    let services = ["user-service", "order-api", "order-worker"];
    let parts: Vec<&PartState> =
        state.parts.iter().filter(|part| services.contains(&part.service())).collect();
    for part in parts {
        while let Err(reason) = part.probe.ask().await {
            if Instant::now() > deadline {
                bail!(
                    "the replica was promoted, but {} is not ready after {} s: {reason}",
                    part.name,
                    BACK.as_secs()
                );
            }
            sleep(LOOK).await;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_another_instance_fails_nothing_over() {
        assert!(is_here("sre-lab/.lab", "sre-lab/.lab").is_ok());
        for other in ["", "sre-test/.lab", "sre-lab"] {
            let refused = is_here("sre-lab/.lab", other).unwrap_err().to_string();
            assert!(refused.starts_with("this lab is sre-lab/.lab, and not "), "{refused}");
        }
    }
}
