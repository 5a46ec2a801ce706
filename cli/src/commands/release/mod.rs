//! `lab release …`: what the control room's pages about releases do, from a terminal. Thin: each verb is one call of its API;
//! `start` also registers the build, because only the owner of the lab may say which program runs. `cluster`: in a cluster, where the
//! control room may change nothing, this program drives the release itself.

mod build;
mod checkout;
mod cluster;
mod judge;
mod print;
mod read;
mod record;
mod start;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Subcommand};
use observe::ControlRoom;
use serde_json::json;

pub(super) use self::build::register;
use self::cluster::Releases;
use crate::{commands::ids, installation::Installation};

/// Release a new version step by step: a canary gets few requests, is compared with a fresh baseline of the old version, and is
/// rolled back automatically if it is worse.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    lab release start order-api --version v2 --binary /tmp/v2/target/lab/order-api --why 'Faster orders'\n  \
    lab release start order-api --version v2 --checkout my-branch --why 'Faster orders'\n  \
    lab release start order-api --version v2 --env USER_SERVICE_TIMEOUT=1ms --why 'Give users less time'\n  \
    lab release start user-service --version v2 --flag cache-ttl=5s --why 'Fresher users' --steps 25,100\n  \
    lab release status                                 the newest release: steps, verdicts, numbers\n  \
    lab release abort REL-3 'Users complain'           every request goes back to the old version\n  \
    lab release continue REL-3 'Too few requests'      continue an inconclusive release\n  \
    lab release delivery                               the four figures of delivery\n  \
    lab release record-noise order-api --write noise.jsonl     what two instances of one version do, to test the judge with\n  \
    lab --context kind-lab release start order-api --version v2 --why 'Faster orders'     an image, on Kubernetes\n\n\
    The control room runs the release: this terminal may be closed. At 50 requests per second, a canary of 5 % needs\n\
    about 5 minutes to pass; more load (`lab up --rate 200`) or a larger --rise makes it quicker.\n\
    On Kubernetes, this terminal runs it, with kubectl and helm: to close it stops the release.\n\
    Steps, verdicts, rollbacks: docs/releases.md")]
pub(crate) struct ReleaseCommand {
    /// Who acts, such as ada; by default the name that the control room has for you.
    #[arg(long = "as", id = "as", global = true, env = "LAB_PERSON", value_name = "NAME")]
    who: Option<String>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start a release and follow it until it has ended.
    Start(Box<start::Start>),
    /// Show a release with its steps and what the judge says.
    Status(read::Status),
    /// List releases, the newest first.
    List(read::List),
    /// Stop a release: the old version gets every request back.
    Abort(Worded),
    /// Let an inconclusive release go to its next step.
    Continue(Worded),
    /// Show the four figures of delivery over the last 30 days.
    Delivery(read::Delivery),
    /// Compare two instances that you have started until it is known whether the first one is worse.
    Judge(judge::JudgeTwo),
    /// Record what two instances of the same version do beside each other, for the simulations of the judge.
    RecordNoise(record::RecordNoise),
}

/// A release, and a reason.
#[derive(Debug, Args)]
struct Worded {
    /// The release, such as REL-7.
    #[arg(value_parser = ids::release)]
    release: String,
    /// The reason.
    why: String,
}

impl Worded {
    async fn run(self, room: &ControlRoom, verb: &str) -> Result<ExitCode> {
        let path = format!("/api/v1/releases/{}/{verb}", self.release);
        print::whole(&room.post(&path, &json!({ "why": self.why })).await?);
        Ok(ExitCode::SUCCESS)
    }
}

impl ReleaseCommand {
    /// Runs the command.
    pub(crate) async fn run(self, place: &Installation) -> Result<ExitCode> {
        // It needs no lab.
        if let Command::Judge(judge) = self.command {
            return judge.run().await;
        }
        // It asks the instances alone, wherever they are.
        if let Command::RecordNoise(record) = self.command {
            return record.run(place).await;
        }
        // The figures are those of the control room, wherever it is.
        if place.in_cluster() && !matches!(self.command, Command::Delivery(_)) {
            return self.in_cluster(place).await;
        }
        // The build is registered on this machine: the control room has to be that of the same lab.
        let home = match &self.command {
            Command::Start(_) => Some(place.all_here("release start")?),
            _ => None,
        };
        let room = place.control_room().await?.map(|room| room.acting_as(self.who));
        match (self.command, home) {
            (Command::Start(start), Some(home)) => start.run(&home, &room).await,
            (Command::Status(status), _) => status.run(&room).await,
            (Command::List(list), _) => list.run(&room).await,
            (Command::Abort(words), _) => words.run(&room, "abort").await,
            (Command::Continue(words), _) => words.run(&room, "continue").await,
            (Command::Delivery(delivery), _) => delivery.run(&room).await,
            // They have been run already.
            (Command::Start(_) | Command::Judge(_) | Command::RecordNoise(_), _) => Ok(ExitCode::SUCCESS),
        }
    }

    /// The same for a lab in a cluster.
    async fn in_cluster(self, place: &Installation) -> Result<ExitCode> {
        let releases = Releases::of(place, self.who).await?;
        match self.command {
            Command::Start(start) => releases.start(&start).await,
            Command::Status(status) => releases.status(status.release.as_deref(), status.json),
            Command::List(list) => releases.list(list.limit as usize, list.json),
            Command::Abort(Worded { release, why }) => releases.decide(&release, true, why).await,
            Command::Continue(Worded { release, why }) => releases.decide(&release, false, why).await,
            // They need no cluster.
            Command::Delivery(_) | Command::Judge(_) | Command::RecordNoise(_) => Ok(ExitCode::SUCCESS),
        }
    }
}
