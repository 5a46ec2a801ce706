//! Forms about the incident itself: who has it, how bad it is, where it is in its life. Each does one thing and leads back to the
//! page; what was not done is said on the page, with what was written.

use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use chassis_http::Path;
use incident::{Id, Role, Severity, State as Life, What};
use serde::Deserialize;

use super::{draw, id, view::Wrong};
use crate::{
    access::{Form, Visitor},
    error::{Error, Result},
    room::Room,
    web::failure::{Answer, Failure, sentence},
};

/// Longest title.
const LONGEST_TITLE: usize = 200;

/// A form that was sent.
pub(super) struct Sent<'s> {
    pub(super) room: &'s Room,
    pub(super) visitor: &'s Visitor,
    pub(super) id: Id,
    /// The end of its address.
    pub(super) form: &'s str,
    /// Its main text.
    pub(super) text: &'s str,
}

impl Sent<'_> {
    /// Back to the page, or the page with what was wrong.
    pub(super) async fn answer<T>(&self, done: Result<T>) -> Answer<Response> {
        let wrong = match done {
            Ok(_) => {
                let place = self.form.split('/').next().unwrap_or_default();
                let place = match place {
                    "tasks" | "links" | "hypotheses" => place,
                    "messages" => "war-room",
                    "roles" | "page" => "people",
                    "notes" => "timeline",
                    _ => "main",
                };
                return Ok(Redirect::to(&format!("/incidents/{}#{place}", self.id)).into_response());
            }
            Err(wrong @ Error::NoIncident(_)) => return Err(wrong.into()),
            Err(wrong) => wrong,
        };
        let said = Wrong { form: self.form.to_owned(), what: sentence(&wrong), text: self.text.to_owned() };
        let status = Failure::from(wrong).status();
        let page = draw(self.room, self.visitor, self.id, "", Some(&said)).await?;
        Ok((status, page).into_response())
    }

    /// Records events, all or none, and answers.
    pub(super) async fn record(&self, what: Result<Vec<What>>) -> Answer<Response> {
        let done = match what {
            Ok(what) => self.room.desk.act_all(self.id, self.visitor.source(), what).await,
            Err(wrong) => Err(wrong),
        };
        self.answer(done).await
    }

    /// Records events that may give roles, notifies who gets one, and answers.
    async fn assign(&self, what: Result<Vec<What>>) -> Answer<Response> {
        let done = match what {
            Ok(what) => self.room.duty.assign(self.room, self.id, self.visitor.source(), what).await,
            Err(wrong) => Err(wrong),
        };
        self.answer(done).await
    }
}

/// A form without fields.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

/// A form with a reason.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Why {
    why: String,
}

pub(super) async fn acknowledge(
    State(room): State<Room>,
    visitor: Visitor,
    Path(name): Path<String>,
    Form(Nothing {}): Form<Nothing>,
) -> Answer<Response> {
    let sent = Sent { room: &room, visitor: &visitor, id: id(&name)?, form: "acknowledge", text: "" };
    sent.record(Ok(vec![What::Acknowledged])).await
}

pub(super) async fn state(
    State(room): State<Room>,
    visitor: Visitor,
    Path((name, to)): Path<(String, String)>,
    Form(Why { why }): Form<Why>,
) -> Answer<Response> {
    let form = format!("state/{to}");
    let sent = Sent { room: &room, visitor: &visitor, id: id(&name)?, form: &form, text: &why };
    let expected = || Error::field("state", "expected active, mitigated, resolved, closed or dismissed");
    let to = to.parse::<Life>().map_err(|_| expected());
    sent.record(to.map(|to| vec![What::Moved { to, why: why.clone() }])).await
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewSeverity {
    severity: String,
    why: String,
}

pub(super) async fn severity(
    State(room): State<Room>,
    visitor: Visitor,
    Path(name): Path<String>,
    Form(new): Form<NewSeverity>,
) -> Answer<Response> {
    let sent = Sent { room: &room, visitor: &visitor, id: id(&name)?, form: "severity", text: &new.why };
    let severity = new.severity.parse::<Severity>().map_err(|wrong| Error::field("severity", wrong));
    sent.record(severity.map(|severity| vec![What::SeveritySet { severity, why: new.why.clone() }])).await
}

/// The reason, and who has which role.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Team {
    why: String,
    #[serde(default)]
    commander: String,
    #[serde(default)]
    operations: String,
    #[serde(default)]
    communications: String,
    #[serde(default)]
    scribe: String,
}

pub(super) async fn major(
    State(room): State<Room>,
    visitor: Visitor,
    Path(name): Path<String>,
    Form(team): Form<Team>,
) -> Answer<Response> {
    let sent = Sent { room: &room, visitor: &visitor, id: id(&name)?, form: "major", text: &team.why };
    let mut what = vec![What::DeclaredMajor { why: team.why.clone() }];
    let chosen = [
        (Role::Commander, &team.commander),
        (Role::Operations, &team.operations),
        (Role::Communications, &team.communications),
        (Role::Scribe, &team.scribe),
    ];
    let incident = room.desk.get(sent.id).await?;
    for (role, person) in chosen {
        // A person who already has a role is not given it again.
        if !person.is_empty() && incident.roles.get(&role) != Some(person) {
            what.push(What::Assigned { role, person: person.clone() });
        }
    }
    sent.assign(Ok(what)).await
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Title {
    title: String,
}

pub(super) async fn title(
    State(room): State<Room>,
    visitor: Visitor,
    Path(name): Path<String>,
    Form(Title { title }): Form<Title>,
) -> Answer<Response> {
    let sent = Sent { room: &room, visitor: &visitor, id: id(&name)?, form: "title", text: &title };
    let fits = title.chars().count() <= LONGEST_TITLE && !title.chars().any(char::is_control);
    let wrong = || Error::field("title", format!("expected one line of at most {LONGEST_TITLE} characters"));
    sent.record(fits.then(|| vec![What::Renamed { title: title.trim().to_owned() }]).ok_or_else(wrong)).await
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Given {
    role: String,
    #[serde(default)]
    person: String,
}

pub(super) async fn roles(
    State(room): State<Room>,
    visitor: Visitor,
    Path(name): Path<String>,
    Form(given): Form<Given>,
) -> Answer<Response> {
    let sent = Sent { room: &room, visitor: &visitor, id: id(&name)?, form: "roles", text: "" };
    let expected = || Error::field("role", "expected commander, operations, communications or scribe");
    let role = given.role.parse::<Role>().map_err(|_| expected());
    let what = role.map(|role| match given.person.as_str() {
        "" => What::Relieved { role },
        person => What::Assigned { role, person: person.to_owned() },
    });
    sent.assign(what.map(|what| vec![what])).await
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Called {
    #[serde(default)]
    person: String,
    why: String,
}

/// Pages one person, whatever the policy says.
pub(super) async fn page(
    State(room): State<Room>,
    visitor: Visitor,
    Path(name): Path<String>,
    Form(Called { person, why }): Form<Called>,
) -> Answer<Response> {
    let sent = Sent { room: &room, visitor: &visitor, id: id(&name)?, form: "page", text: &why };
    let done = match (person.as_str(), why.trim()) {
        ("", _) => Err(Error::field("person", "expected one of the people")),
        (_, "") => Err(Error::field("why", "expected a few words: why this person is needed")),
        (person, why) => room.duty.page(&room, sent.id, visitor.source(), person, why).await,
    };
    sent.answer(done).await
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Affected {
    service: String,
    affected: String,
}

pub(super) async fn services(
    State(room): State<Room>,
    visitor: Visitor,
    Path(name): Path<String>,
    Form(form): Form<Affected>,
) -> Answer<Response> {
    let sent = Sent { room: &room, visitor: &visitor, id: id(&name)?, form: "services", text: "" };
    let service = form.service.clone();
    let what = match form.affected.as_str() {
        _ if service.is_empty() => Err(Error::field("service", "expected one of the services")),
        "yes" => Ok(vec![What::Affected { service }]),
        "no" => Ok(vec![What::Unaffected { service }]),
        _ => Err(Error::field("affected", "expected yes or no")),
    };
    sent.record(what).await
}

pub(super) async fn escalate(
    State(room): State<Room>,
    visitor: Visitor,
    Path(name): Path<String>,
    Form(Why { why }): Form<Why>,
) -> Answer<Response> {
    let sent = Sent { room: &room, visitor: &visitor, id: id(&name)?, form: "escalate", text: &why };
    let done = room.duty.escalate(&room, sent.id, visitor.source(), &why).await;
    sent.answer(done).await
}
