//! The forms of a run. Each tells `crate::drills` one thing and leads back to the run; what was not taken is said
//! there.

use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use chassis_http::Path;
use drill::{Mode, What, names::Difficulty};
use serde::Deserialize;

use super::{
    answer::{self, Fields},
    briefing, facts, list, number,
    run::refused,
    view::Wrong,
};
use crate::{
    access::{Form, Instructor, Visitor},
    drills::Order,
    error::{Error, Result},
    room::Room,
    web::failure::{Answer, Failure, sentence},
};

/// Which drill is begun.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Begin {
    /// Its name; empty: a mystery.
    drill: String,
    /// How hard the mystery may be; empty: anything.
    difficulty: String,
}

/// A form without fields.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

/// A form with a text.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Text {
    text: String,
}

/// A form with a reason.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Why {
    why: String,
}

/// Whether the clock stands.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Paused {
    paused: bool,
}

pub(super) async fn begin(
    State(room): State<Room>,
    visitor: Visitor,
    Form(wanted): Form<Begin>,
) -> Answer<Response> {
    let begun = match order(&wanted, &visitor) {
        Ok(order) => room.drills.begin(&room, &visitor, order).await,
        Err(wrong) => Err(wrong),
    };
    let wrong = match begun {
        Ok(run) => return Ok(Redirect::to(&format!("/drills/runs/{}", run.id)).into_response()),
        Err(wrong) => wrong,
    };
    let (said, status) = (sentence(&wrong), Failure::from(wrong).status());
    let page = match wanted.drill.as_str() {
        "" => list::draw(&room, &visitor, Some(&said)).await?,
        drill => briefing::draw(&room, &visitor, drill, Some(&said)).await?,
    };
    Ok((status, page).into_response())
}

fn order(wanted: &Begin, visitor: &Visitor) -> Result<Order> {
    let difficulty =
        match wanted.difficulty.as_str() {
            "" => None,
            word => Some(word.parse::<Difficulty>().map_err(|_| {
                Error::field("difficulty", "expected first-day, easy, medium, hard or brutal")
            })?),
        };
    let drill = Some(wanted.drill.clone()).filter(|name| !name.is_empty());
    let mode = Mode::Person { name: visitor.name.clone() };
    Ok(Order { drill, mode, seed: None, difficulty, variant: None })
}

/// A form that was sent.
struct Sent<'s> {
    room: &'s Room,
    visitor: &'s Visitor,
    n: &'s str,
    /// Where the answer leads to on the page.
    place: &'s str,
}

impl Sent<'_> {
    /// Tells it, and leads back to the run.
    async fn tell(&self, what: What, wrong: Wrong) -> Answer<Response> {
        let id = number(self.n)?;
        match self.room.drills.tell(self.room, self.visitor, id, what).await {
            Ok(_) => Ok(Redirect::to(&format!("/drills/runs/{id}#{}", self.place)).into_response()),
            Err(why @ Error::NoSuch { .. }) => Err(why.into()),
            Err(why) => refused(self.room, self.visitor, id, why, wrong).await,
        }
    }
}

pub(super) async fn notice(
    State(room): State<Room>,
    visitor: Visitor,
    Path(n): Path<String>,
    Form(Nothing {}): Form<Nothing>,
) -> Answer<Response> {
    let sent = Sent { room: &room, visitor: &visitor, n: &n, place: "acts" };
    sent.tell(What::Noticed, Wrong::default()).await
}

pub(super) async fn hint(
    State(room): State<Room>,
    visitor: Visitor,
    Path(n): Path<String>,
    Form(Nothing {}): Form<Nothing>,
) -> Answer<Response> {
    let sent = Sent { room: &room, visitor: &visitor, n: &n, place: "hints" };
    sent.tell(What::Hint, Wrong::default()).await
}

pub(super) async fn answer(
    State(room): State<Room>,
    visitor: Visitor,
    Path(n): Path<String>,
    Form(fields): Form<Fields>,
) -> Answer<Response> {
    let run = facts::run(&room, &visitor, number(&n)?).await?;
    let read = answer::read(&fields, &run);
    let wrong = Wrong { fields: Some(fields), ..Wrong::default() };
    match read {
        Ok(answers) => {
            let sent = Sent { room: &room, visitor: &visitor, n: &n, place: "answer" };
            sent.tell(What::Answered { answers }, wrong).await
        }
        Err(why) => refused(&room, &visitor, run.id, why, wrong).await,
    }
}

pub(super) async fn update(
    State(room): State<Room>,
    visitor: Visitor,
    Path(n): Path<String>,
    Form(Text { text }): Form<Text>,
) -> Answer<Response> {
    let wrong = Wrong { text: text.clone(), ..Wrong::default() };
    if text.trim().is_empty() {
        let why = Error::field("text", "expected a sentence, found none");
        return refused(&room, &visitor, number(&n)?, why, wrong).await;
    }
    let sent = Sent { room: &room, visitor: &visitor, n: &n, place: "acts" };
    sent.tell(What::Updated { text }, wrong).await
}

pub(super) async fn submit(
    State(room): State<Room>,
    visitor: Visitor,
    Path(n): Path<String>,
    Form(Nothing {}): Form<Nothing>,
) -> Answer<Response> {
    let sent = Sent { room: &room, visitor: &visitor, n: &n, place: "main" };
    sent.tell(What::Submitted, Wrong::default()).await
}

pub(super) async fn abort(
    State(room): State<Room>,
    visitor: Visitor,
    Path(n): Path<String>,
    Form(Why { why }): Form<Why>,
) -> Answer<Response> {
    let why = if why.trim().is_empty() { "no reason was given".to_owned() } else { why };
    let sent = Sent { room: &room, visitor: &visitor, n: &n, place: "main" };
    sent.tell(What::Aborted { why }, Wrong::default()).await
}

pub(super) async fn pause(
    State(room): State<Room>,
    Instructor(visitor): Instructor,
    Path(n): Path<String>,
    Form(Paused { paused }): Form<Paused>,
) -> Answer<Response> {
    let id = number(&n)?;
    match room.drills.pause(&room, &visitor, paused).await {
        Ok(()) => Ok(Redirect::to(&format!("/drills/runs/{id}")).into_response()),
        Err(why) => refused(&room, &visitor, id, why, Wrong::default()).await,
    }
}

pub(super) async fn learned(
    State(room): State<Room>,
    visitor: Visitor,
    Path(n): Path<String>,
    Form(Text { text }): Form<Text>,
) -> Answer<Response> {
    let id = number(&n)?;
    // Browsers send line ends as the protocol has them, files have those of Unix.
    let text = text.replace("\r\n", "\n");
    match room.drills.learned(&visitor, id, &text).await {
        Ok(_) => Ok(Redirect::to(&format!("/drills/runs/{id}#learned")).into_response()),
        Err(why) => refused(&room, &visitor, id, why, Wrong { text, ..Wrong::default() }).await,
    }
}

#[cfg(test)]
mod tests {
    use incident::Viewer;

    use super::*;

    #[test]
    fn an_order_without_a_name_is_a_mystery_of_the_wanted_difficulty() {
        let ada = Visitor { name: "ada".to_owned(), role: Viewer::Trainee };
        let begin = |drill: &str, difficulty: &str| {
            order(&Begin { drill: drill.to_owned(), difficulty: difficulty.to_owned() }, &ada)
        };
        let mystery = begin("", "hard").unwrap();
        assert_eq!((mystery.drill, mystery.difficulty), (None, Some(Difficulty::Hard)));
        assert_eq!(mystery.mode, Mode::Person { name: "ada".to_owned() });
        assert_eq!(begin("first-page", "").unwrap().drill.as_deref(), Some("first-page"));
        assert!(begin("", "harder").err().unwrap().to_string().starts_with("difficulty: "));
    }
}
