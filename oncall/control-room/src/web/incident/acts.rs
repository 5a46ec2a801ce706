//! Forms about what people know and do: updates, notes, messages, tasks, links, hypotheses, and a new look.

use axum::{extract::State, response::Response};
use chassis_http::Path;
use chrono::{NaiveDate, Utc};
use incident::{EntryKind, Evidence, Link, What};
use serde::Deserialize;

use super::{
    forms::{Nothing, Sent},
    id,
};
use crate::{
    access::{Form, Visitor},
    error::{Error, Result},
    room::Room,
    watch,
    web::{failure::Answer, parts::safe_link},
};

/// A form with a text.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Text {
    text: String,
}

/// The text, if there is one.
fn filled(field: &str, text: &str) -> Result<String> {
    let text = text.trim();
    if text.is_empty() { Err(Error::field(field, "expected a few words")) } else { Ok(text.to_owned()) }
}

pub(super) async fn diagnose(
    State(room): State<Room>,
    visitor: Visitor,
    Path(name): Path<String>,
    Form(Nothing {}): Form<Nothing>,
) -> Answer<Response> {
    let sent = Sent { room: &room, visitor: &visitor, id: id(&name)?, form: "diagnose", text: "" };
    let done = watch::diagnose(&room, sent.id).await;
    sent.answer(done).await
}

pub(super) async fn updates(
    State(room): State<Room>,
    visitor: Visitor,
    Path(name): Path<String>,
    Form(Text { text }): Form<Text>,
) -> Answer<Response> {
    let sent = Sent { room: &room, visitor: &visitor, id: id(&name)?, form: "updates", text: &text };
    sent.record(filled("text", &text).map(|text| vec![What::Updated { text }])).await
}

pub(super) async fn notes(
    State(room): State<Room>,
    visitor: Visitor,
    Path(name): Path<String>,
    Form(Text { text }): Form<Text>,
) -> Answer<Response> {
    let sent = Sent { room: &room, visitor: &visitor, id: id(&name)?, form: "notes", text: &text };
    let note = |text| What::Noted {
        kind: EntryKind::Note,
        happened_at: Utc::now(),
        text,
        evidence: Vec::new(),
        sealed: false,
    };
    sent.record(filled("text", &text).map(|text| vec![note(text)])).await
}

pub(super) async fn messages(
    State(room): State<Room>,
    visitor: Visitor,
    Path(name): Path<String>,
    Form(Text { text }): Form<Text>,
) -> Answer<Response> {
    let sent = Sent { room: &room, visitor: &visitor, id: id(&name)?, form: "messages", text: &text };
    let done = match filled("text", &text) {
        Ok(text) => room.notify.say(&room, sent.id, &visitor.name, &text).await,
        Err(wrong) => Err(wrong),
    };
    sent.answer(done).await
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewTask {
    text: String,
    #[serde(default)]
    owner: String,
    #[serde(default)]
    due: String,
    #[serde(default)]
    follow_up: String,
}

impl NewTask {
    fn due(&self) -> Result<Option<NaiveDate>> {
        if self.due.is_empty() {
            return Ok(None);
        }
        let wrong = |_| Error::field("due", "expected a date such as 2026-11-29");
        self.due.parse().map(Some).map_err(wrong)
    }
}

pub(super) async fn tasks(
    State(room): State<Room>,
    visitor: Visitor,
    Path(name): Path<String>,
    Form(new): Form<NewTask>,
) -> Answer<Response> {
    let sent = Sent { room: &room, visitor: &visitor, id: id(&name)?, form: "tasks", text: &new.text };
    let owner = Some(new.owner.clone()).filter(|owner| !owner.is_empty());
    let done = match (filled("text", &new.text), new.due()) {
        (Ok(text), Ok(due)) => {
            room.desk.task(sent.id, visitor.source(), &text, owner, due, new.follow_up == "yes").await
        }
        (Err(wrong), _) | (_, Err(wrong)) => Err(wrong),
    };
    sent.answer(done).await
}

pub(super) async fn task_done(
    State(room): State<Room>,
    visitor: Visitor,
    Path((name, number)): Path<(String, u32)>,
    Form(Nothing {}): Form<Nothing>,
) -> Answer<Response> {
    let sent = Sent { room: &room, visitor: &visitor, id: id(&name)?, form: "tasks", text: "" };
    sent.record(Ok(vec![What::TaskDone { id: number }])).await
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewLink {
    #[serde(default)]
    title: String,
    url: String,
}

pub(super) async fn links(
    State(room): State<Room>,
    visitor: Visitor,
    Path(name): Path<String>,
    Form(new): Form<NewLink>,
) -> Answer<Response> {
    let sent = Sent { room: &room, visitor: &visitor, id: id(&name)?, form: "links", text: &new.title };
    let url = new.url.trim();
    let right = !url.is_empty() && safe_link(url).is_some();
    let title = Some(new.title.trim()).filter(|title| !title.is_empty()).unwrap_or(url);
    let link = Link { title: title.to_owned(), url: url.to_owned() };
    let wrong = || Error::field("url", "expected an address that begins with http://, https:// or /");
    sent.record(right.then(|| vec![What::Linked { link }]).ok_or_else(wrong)).await
}

pub(super) async fn hypotheses(
    State(room): State<Room>,
    visitor: Visitor,
    Path(name): Path<String>,
    Form(Text { text }): Form<Text>,
) -> Answer<Response> {
    let sent = Sent { room: &room, visitor: &visitor, id: id(&name)?, form: "hypotheses", text: &text };
    let done = match filled("text", &text) {
        Ok(text) => room.desk.hypothesis(sent.id, visitor.source(), &text).await,
        Err(wrong) => Err(wrong),
    };
    sent.answer(done).await
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewFinding {
    text: String,
    supports: String,
    #[serde(default)]
    query: String,
    #[serde(default)]
    answer: String,
}

pub(super) async fn findings(
    State(room): State<Room>,
    visitor: Visitor,
    Path((name, number)): Path<(String, u32)>,
    Form(new): Form<NewFinding>,
) -> Answer<Response> {
    let form = format!("hypotheses/{number}/findings");
    let sent = Sent { room: &room, visitor: &visitor, id: id(&name)?, form: &form, text: &new.text };
    let evidence = (!new.query.trim().is_empty()).then(|| Evidence {
        query: new.query.trim().to_owned(),
        answer: new.answer.trim().to_owned(),
        link: None,
    });
    let supports = new.supports == "yes";
    let tested = |text| What::HypothesisTested { id: number, supports, text, evidence };
    sent.record(filled("text", &new.text).map(|text| vec![tested(text)])).await
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Decision {
    verdict: String,
    why: String,
}

pub(super) async fn verdict(
    State(room): State<Room>,
    visitor: Visitor,
    Path((name, number)): Path<(String, u32)>,
    Form(new): Form<Decision>,
) -> Answer<Response> {
    let form = format!("hypotheses/{number}/verdict");
    let sent = Sent { room: &room, visitor: &visitor, id: id(&name)?, form: &form, text: &new.why };
    let what = filled("why", &new.why).and_then(|why| match new.verdict.as_str() {
        "confirmed" => Ok(What::HypothesisConfirmed { id: number, why }),
        "ruled-out" => Ok(What::HypothesisRuledOut { id: number, why }),
        _ => Err(Error::field("verdict", "expected ruled-out or confirmed")),
    });
    sent.record(what.map(|what| vec![what])).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_of_spaces_is_no_text_and_a_date_is_a_date() {
        assert_eq!(filled("text", " a ").ok().as_deref(), Some("a"));
        assert!(filled("text", " \n").is_err_and(|wrong| wrong.to_string().starts_with("text: expected")));
        let task = |due: &str| NewTask {
            text: String::new(),
            owner: String::new(),
            due: due.to_owned(),
            follow_up: String::new(),
        };
        assert_eq!(task("").due().ok(), Some(None));
        assert_eq!(task("2026-11-29").due().ok().flatten(), NaiveDate::from_ymd_opt(2026, 11, 29));
        assert!(task("tomorrow").due().is_err());
    }
}
