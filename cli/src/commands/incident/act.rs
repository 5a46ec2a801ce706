//! Verbs: each is one POST, and prints the incident as it is afterwards.

use anyhow::Result;
use clap::Args;
use observe::ControlRoom;
use serde_json::{Value, json};

use super::read;
use crate::{commands::ids, terminal::out};

/// An incident, and nothing else to say.
#[derive(Debug, Args)]
pub(super) struct Ack {
    /// The incident, such as INC-7.
    #[arg(value_parser = ids::incident)]
    incident: String,
}

/// An incident, and perhaps a reason.
#[derive(Debug, Args)]
pub(super) struct Reason {
    /// The incident, such as INC-7.
    #[arg(value_parser = ids::incident)]
    incident: String,
    /// What was done, or seen.
    #[arg(default_value = "", hide_default_value = true)]
    why: String,
}

/// An incident, and a reason.
#[derive(Debug, Args)]
pub(super) struct Required {
    /// The incident, such as INC-7.
    #[arg(value_parser = ids::incident)]
    incident: String,
    /// The reason.
    why: String,
}

/// An incident, and a text.
#[derive(Debug, Args)]
pub(super) struct Words {
    /// The incident, such as INC-7.
    #[arg(value_parser = ids::incident)]
    incident: String,
    /// The text.
    text: String,
}

/// A new incident.
#[derive(Debug, Args)]
pub(super) struct Open {
    /// What people see, in a few words.
    title: String,
    /// What is known so far, in a few sentences.
    #[arg(long, default_value = "", hide_default_value = true, value_name = "TEXT")]
    description: String,
    /// How bad it is: SEV-1 to SEV-5, or critical, high, medium, low.
    #[arg(long, default_value = "SEV-3", value_name = "SEVERITY")]
    severity: String,
    /// An affected service; may be repeated.
    #[arg(long = "service", value_name = "SERVICE")]
    services: Vec<String>,
}

/// A role.
#[derive(Debug, Args)]
pub(super) struct Assign {
    /// The incident, such as INC-7.
    #[arg(value_parser = ids::incident)]
    incident: String,
    /// The role.
    #[arg(value_parser = ["commander", "operations", "communications", "scribe"])]
    role: String,
    /// The person; `-` takes the role back.
    person: String,
}

/// A person who is needed.
#[derive(Debug, Args)]
pub(super) struct Page {
    /// The incident, such as INC-7.
    #[arg(value_parser = ids::incident)]
    incident: String,
    /// The person, by the name in oncall.yaml.
    person: String,
    /// Why this person is needed.
    why: String,
}

/// A severity.
#[derive(Debug, Args)]
pub(super) struct SetSeverity {
    /// The incident, such as INC-7.
    #[arg(value_parser = ids::incident)]
    incident: String,
    /// SEV-1 to SEV-5, or critical, high, medium, low.
    severity: String,
    /// How that is known.
    #[arg(default_value = "", hide_default_value = true)]
    why: String,
}

/// What became of a hypothesis.
#[derive(Debug, Args)]
pub(super) struct Verdict {
    /// The incident, such as INC-7.
    #[arg(value_parser = ids::incident)]
    incident: String,
    /// The hypothesis, by its number.
    number: u32,
    /// How that is known.
    why: String,
}

/// Something to do.
#[derive(Debug, Args)]
pub(super) struct Task {
    /// The incident, such as INC-7.
    #[arg(value_parser = ids::incident)]
    incident: String,
    /// What to do.
    text: String,
    /// Who does it.
    #[arg(long, value_name = "NAME")]
    owner: Option<String>,
    /// Until when, such as 2026-12-24.
    #[arg(long, value_name = "DATE")]
    due: Option<chrono::NaiveDate>,
    /// It is an action item: to be done after the incident, so that it does not happen again.
    #[arg(long)]
    follow_up: bool,
}

/// A task that is done.
#[derive(Debug, Args)]
pub(super) struct Done {
    /// The incident, such as INC-7.
    #[arg(value_parser = ids::incident)]
    incident: String,
    /// The task, by its number.
    number: u32,
}

/// One call; prints the incident in one line.
async fn post(room: &ControlRoom, incident: &str, verb: &str, body: &Value) -> Result<()> {
    let answer = room.post(&format!("/api/v1/incidents/{incident}/{verb}"), body).await?;
    if answer["state"].is_string() {
        out!("{}", read::line(&answer));
    }
    Ok(())
}

impl Ack {
    pub(super) async fn run(self, room: &ControlRoom, verb: &str) -> Result<()> {
        post(room, &self.incident, verb, &json!({})).await
    }
}

impl Reason {
    pub(super) async fn run(self, room: &ControlRoom, verb: &str) -> Result<()> {
        post(room, &self.incident, verb, &json!({ "why": self.why })).await
    }

    /// Moves it to another state.
    pub(super) async fn to(self, room: &ControlRoom, state: &str) -> Result<()> {
        post(room, &self.incident, "state", &json!({ "to": state, "why": self.why })).await
    }
}

impl Required {
    pub(super) async fn run(self, room: &ControlRoom, verb: &str, to: Option<&str>) -> Result<()> {
        let body = match to {
            Some(state) => json!({ "to": state, "why": self.why }),
            None => json!({ "why": self.why }),
        };
        post(room, &self.incident, verb, &body).await
    }
}

impl Words {
    pub(super) async fn run(self, room: &ControlRoom, verb: &str) -> Result<()> {
        post(room, &self.incident, verb, &json!({ "text": self.text })).await
    }
}

impl Open {
    pub(super) async fn run(self, room: &ControlRoom) -> Result<()> {
        let body = json!({
            "title": self.title,
            "description": self.description,
            "severity": self.severity,
            "services": self.services,
        });
        let answer = room.post("/api/v1/incidents", &body).await?;
        out!("{}", read::line(&answer));
        Ok(())
    }
}

impl Assign {
    pub(super) async fn run(self, room: &ControlRoom) -> Result<()> {
        let person = Some(self.person).filter(|person| person != "-");
        post(room, &self.incident, "roles", &json!({ "role": self.role, "person": person })).await
    }
}

impl Page {
    pub(super) async fn run(self, room: &ControlRoom) -> Result<()> {
        post(room, &self.incident, "page", &json!({ "person": self.person, "why": self.why })).await
    }
}

impl SetSeverity {
    pub(super) async fn run(self, room: &ControlRoom) -> Result<()> {
        post(room, &self.incident, "severity", &json!({ "severity": self.severity, "why": self.why })).await
    }
}

impl Verdict {
    pub(super) async fn run(self, room: &ControlRoom, verdict: &str) -> Result<()> {
        let verb = format!("hypotheses/{}/{verdict}", self.number);
        post(room, &self.incident, &verb, &json!({ "why": self.why })).await
    }
}

impl Task {
    pub(super) async fn run(self, room: &ControlRoom) -> Result<()> {
        let body =
            json!({ "text": self.text, "owner": self.owner, "due": self.due, "follow_up": self.follow_up });
        post(room, &self.incident, "tasks", &body).await
    }
}

impl Done {
    pub(super) async fn run(self, room: &ControlRoom) -> Result<()> {
        post(room, &self.incident, &format!("tasks/{}/done", self.number), &json!({})).await
    }
}
