//! `lab incident …`: what the control room's incident pages do, from a terminal. Thin: each verb is one call of its API, and the
//! control room decides what is allowed.

mod act;
mod read;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Subcommand};
use observe::ControlRoom;

use crate::installation::Installation;

/// Incidents: what is open, who works on it, what was tried. The page has all of this too.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    lab incident list\n  \
    lab incident ack INC-1 --as ada\n  \
    lab incident page INC-1 fay \"we need somebody who knows the network\"\n  \
    lab incident hypothesis INC-1 \"the pool is exhausted by an idle transaction\"\n  \
    lab incident update INC-1 \"orders fail since 10:03; we are ending the sessions\"\n  \
    lab incident mitigate INC-1 \"ended 10 sessions\"\n  \
    lab incident timeline INC-1\n  \
    lab incident postmortem INC-1 > INC-1.md\n\n\
    States and roles: docs/on-call.md")]
pub(crate) struct IncidentCommand {
    /// Who acts, such as ada; by default the name that the control room has for you.
    #[arg(long = "as", id = "as", global = true, env = "LAB_PERSON", value_name = "NAME")]
    who: Option<String>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List incidents; the open ones, unless --all.
    List(read::List),
    /// Show an incident: state, roles, alerts, hypotheses, tasks.
    Show(read::Show),
    /// Show what happened, oldest first.
    Timeline(read::Timeline),
    /// Print its postmortem as Markdown.
    Postmortem(read::Postmortem),
    /// Open one by hand.
    Open(act::Open),
    /// Say that you work on it: nobody else is notified.
    Ack(act::Ack),
    /// Give a role to a person, who is notified: commander, operations, communications or scribe.
    Assign(act::Assign),
    /// Page a person by name, on all contact points.
    Page(act::Page),
    /// Tell everybody what is known.
    Update(act::Words),
    /// Write something into the timeline.
    Note(act::Words),
    /// Write into the war room.
    Say(act::Words),
    /// Notify the next level now.
    Escalate(act::Reason),
    /// Set how bad it is.
    Severity(act::SetSeverity),
    /// Declare a major incident, and assemble a response team.
    Major(act::Required),
    /// Mark it as mitigated: users no longer feel it, but the cause may still be there.
    Mitigate(act::Reason),
    /// Mark it as resolved.
    Resolve(act::Reason),
    /// Reopen it: it is active again.
    Reopen(act::Reason),
    /// Close it; this unseals what really happened.
    Close(act::Reason),
    /// Dismiss it: it was not an incident.
    Dismiss(act::Required),
    /// State what might be the cause.
    Hypothesis(act::Words),
    /// Rule a hypothesis out.
    RuleOut(act::Verdict),
    /// Confirm a hypothesis.
    Confirm(act::Verdict),
    /// Add a task.
    Task(act::Task),
    /// Mark a task as done.
    Done(act::Done),
    /// Let the control room look again: readiness, changes, errors, traces, budgets.
    Diagnose(act::Ack),
}

impl IncidentCommand {
    /// Runs the command.
    pub(crate) async fn run(self, place: &Installation) -> Result<ExitCode> {
        let room = place.control_room().await?.map(|room| room.acting_as(self.who));
        self.command.run(&room).await?;
        Ok(ExitCode::SUCCESS)
    }
}

impl Command {
    async fn run(self, room: &ControlRoom) -> Result<()> {
        match self {
            Self::List(list) => list.run(room).await,
            Self::Show(show) => show.run(room).await,
            Self::Timeline(timeline) => timeline.run(room).await,
            Self::Postmortem(postmortem) => postmortem.run(room).await,
            Self::Open(open) => open.run(room).await,
            Self::Ack(ack) => ack.run(room, "acknowledge").await,
            Self::Diagnose(ack) => ack.run(room, "diagnose").await,
            Self::Assign(assign) => assign.run(room).await,
            Self::Page(page) => page.run(room).await,
            Self::Update(words) => words.run(room, "updates").await,
            Self::Note(words) => words.run(room, "notes").await,
            Self::Say(words) => words.run(room, "messages").await,
            Self::Hypothesis(words) => words.run(room, "hypotheses").await,
            Self::Escalate(reason) => reason.run(room, "escalate").await,
            Self::Severity(severity) => severity.run(room).await,
            Self::Major(required) => required.run(room, "major", None).await,
            Self::Dismiss(required) => required.run(room, "state", Some("dismissed")).await,
            Self::Mitigate(reason) => reason.to(room, "mitigated").await,
            Self::Resolve(reason) => reason.to(room, "resolved").await,
            Self::Reopen(reason) => reason.to(room, "active").await,
            Self::Close(reason) => reason.to(room, "closed").await,
            Self::RuleOut(verdict) => verdict.run(room, "rule-out").await,
            Self::Confirm(verdict) => verdict.run(room, "confirm").await,
            Self::Task(task) => task.run(room).await,
            Self::Done(done) => done.run(room).await,
        }
    }
}
