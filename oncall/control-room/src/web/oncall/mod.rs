//! Who is on call: now and next, a calendar by week or month, overrides, what the schedule asks of people, policies in words.
//!
//! Times on this page are wall times of the schedule's zone, which is named: a hand-off at 09:00 is what people agreed on.

mod balance;
mod calendar;
mod overrides;
mod policies;

use axum::{
    Router,
    extract::{Query, State},
    routing::{get, post},
};
use chrono::{DateTime, Datelike as _, NaiveDate, Utc};
use maud::{Markup, html};
use rota::{Rota, Schedule};
use serde::Deserialize;

use super::{
    Area,
    failure::{Answer, sentence},
    layout::{Html, Page, Tab, page},
    parts::{Tone, ago, badge, clock, empty, error_summary},
};
use crate::{
    access::Visitor,
    duty::{OnCall, RotaState},
    error::Error,
    room::Room,
};
use calendar::View;
use overrides::Draft;

pub(super) fn routes() -> Area {
    let router = Router::new()
        .route("/oncall", get(show))
        .route("/oncall/overrides", post(overrides::add))
        .route("/oncall/overrides/{id}/remove", post(overrides::remove));
    (router, &[("GET", "/oncall"), ("POST", "/oncall/overrides"), ("POST", "/oncall/overrides/{id}/remove")])
}

/// What is looked at. A value that means nothing is that of today.
#[derive(Debug, Clone, Default, Deserialize)]
struct Asked {
    schedule: Option<String>,
    view: Option<String>,
    from: Option<String>,
}

async fn show(State(room): State<Room>, visitor: Visitor, Query(asked): Query<Asked>) -> Answer {
    Ok(draw(&room, &visitor, &asked, None)?)
}

/// The page; with what was wrong with a form that was sent, and its fields.
fn draw(
    room: &Room,
    visitor: &Visitor,
    asked: &Asked,
    wrong: Option<(&Draft, &Error)>,
) -> Result<Html, Error> {
    let (state, now) = (room.duty.rota(), Utc::now());
    let frame = Page { title: "On-call", active: Tab::OnCall, visitor, live: false };
    let Some(schedule) = chosen(&state.rota, asked.schedule.as_deref())? else {
        let body = html! { div.stack { h1 { "On-call" } (file(&state, now)) (nobody()) } };
        return Ok(page(room, &frame, body));
    };
    let today = schedule.zone.local(now).date();
    let near = |day: &NaiveDate| (day.year() - today.year()).abs() < 10;
    let from = asked.from.as_deref().and_then(|text| text.parse().ok()).filter(near).unwrap_or(today);
    let view = View::named(asked.view.as_deref());
    let body = html! {
        h1 { "On-call" }
        @if let Some((_, error)) = wrong { (error_summary(&sentence(error))) }
        (file(&state, now))
        section.stack.tight aria-labelledby="now" { h2 #now { "Now" } (on_call(room, &state.rota, now)) }
        section.stack.tight aria-labelledby="calendar" {
            h2 #calendar { "Calendar" }
            (choices(&state.rota, schedule, view, from))
            (calendar::draw(room, &state.rota, schedule, view, from, now)?)
            (exports(schedule, visitor, &state.rota))
        }
        section.stack.tight aria-labelledby="overrides" {
            h2 #overrides { "Overrides of " (schedule.name) }
            (overrides::list(room, visitor, schedule, now))
            (overrides::form(room, visitor, &state.rota, schedule, now, wrong.map(|(draft, _)| draft)))
        }
        section.stack.tight aria-labelledby="balance" {
            h2 #balance { "What the next 52 weeks ask of people" }
            (balance::draw(&room.duty.report(now), &state.rota, schedule))
        }
        section.stack.tight aria-labelledby="policies" {
            h2 #policies { "Who is notified when" }
            (policies::draw(&state.rota, room.config.speed()))
        }
    };
    Ok(page(room, &frame, html! { div.stack { (body) } }))
}

/// The schedule that was asked for, or the first one; `None` if there are no schedules.
fn chosen<'r>(rota: &'r Rota, wanted: Option<&str>) -> Result<Option<&'r Schedule>, Error> {
    match wanted {
        None => Ok(rota.schedules.first()),
        Some(name) => rota.schedule(name).map(Some).ok_or_else(|| no_schedule(rota, name)),
    }
}

fn no_schedule(rota: &Rota, name: &str) -> Error {
    let known: Vec<&str> = rota.schedules.iter().map(|schedule| schedule.name.as_str()).collect();
    Error::NoSuch { what: "schedule", name: name.to_owned(), known: known.join(", ") }
}

/// A person's name for people: without what follows a comma.
fn title<'r>(rota: &'r Rota, name: &'r str) -> &'r str {
    let title = rota.people.get(name).map_or(name, |person| person.title.as_str());
    title.split(',').next().unwrap_or(title)
}

/// The class of a person's shifts: the same for the same file, told apart by their names and not by colour alone.
fn class(rota: &Rota, name: &str) -> String {
    let place = rota.people.keys().position(|person| person == name).unwrap_or_default();
    format!("person-{}", place % 6)
}

/// What is wrong with the file, if something is.
fn file(state: &RotaState, now: DateTime<Utc>) -> Markup {
    let name = state.file.as_ref().map_or_else(String::new, |file| file.display().to_string());
    html! {
        @if !state.problems.is_empty() {
            div.callout.bad role="alert" {
                p { strong { (name) " is wrong, or does not fit with what was declared or changed here." } " The version of " (ago(state.read_at, now)) " stays in force until it is right:" }
                ul.mono.stack.tight { @for problem in &state.problems { li { (problem) } } }
            }
        }
    }
}

fn nobody() -> Markup {
    empty(
        "Nobody is on call.",
        html! {
            "Alerts open incidents, but notify nobody. Write " code { "oncall.yaml" } " and name it with " code { "ONCALL_FILE" } "."
        },
    )
}

fn on_call(room: &Room, rota: &Rota, now: DateTime<Utc>) -> Markup {
    let all = room.duty.now(now);
    html! { div.grid { @for one in &all { (card(rota, one, now)) } } }
}

fn card(rota: &Rota, on_call: &OnCall, now: DateTime<Utc>) -> Markup {
    let zone = rota.schedule(&on_call.schedule).map(|schedule| &schedule.zone);
    html! {
        article.card {
            h3 { (on_call.schedule) }
            @match &on_call.primary {
                Some(primary) => {
                    p { strong { (title(rota, &primary.person)) } " " (calendar::reason(&primary.reason)) }
                    @if !contacts(rota, &primary.person) { p { (badge(Tone::Warn, "no contact point")) " A page cannot reach this person." } }
                }
                None => p { (badge(Tone::Bad, "nobody")) " No page reaches anybody." },
            }
            @if !on_call.added.is_empty() {
                p { "Also: " @for (at, person) in on_call.added.iter().enumerate() { @if at > 0 { ", " } (title(rota, person)) } }
            }
            @if let Some(until) = on_call.until {
                p.muted {
                    "Hands over " (ago(until, now))
                    @if let Some(zone) = zone { ", " (zone.local(until).format("%a %e %b %H:%M")) " in " (zone) }
                    @if let Some(next) = &on_call.next { ", to " (title(rota, next)) }
                }
            }
        }
    }
}

fn contacts(rota: &Rota, person: &str) -> bool {
    rota.people.get(person).is_some_and(|person| !person.contacts.is_empty())
}

/// Schedule, view and span, as links: the page has an address for each.
fn choices(rota: &Rota, schedule: &Schedule, view: View, from: NaiveDate) -> Markup {
    let link = |schedule: &str, view: View, from: NaiveDate| {
        format!("/oncall?schedule={schedule}&view={}&from={from}#calendar", view.name())
    };
    let current = |is: bool| is.then_some("true");
    html! {
        nav.toolbar aria-label="Calendar" {
            ul.tabs {
                @for other in &rota.schedules {
                    li { a href=(link(&other.name, view, from)) aria-current=[current(other.name == schedule.name)] { (other.name) } }
                }
            }
            ul.tabs {
                @for other in View::ALL {
                    li { a href=(link(&schedule.name, other, from)) aria-current=[current(other == view)] { (other.title()) } }
                }
            }
            ul.tabs {
                li { a href=(link(&schedule.name, view, view.before(from))) rel="prev" { "Earlier" } }
                li { a href={ "/oncall?schedule=" (schedule.name) "&view=" (view.name()) "#calendar" } { "Today" } }
                li { a href=(link(&schedule.name, view, view.after(from))) rel="next" { "Later" } }
            }
        }
    }
}

fn exports(schedule: &Schedule, visitor: &Visitor, rota: &Rota) -> Markup {
    let url = format!("/api/v1/oncall/schedules/{}.ics", schedule.name);
    html! {
        p.muted {
            "Times in " (schedule.zone) ", where it is now " (schedule.zone.local(Utc::now()).format("%H:%M")) " (" (clock(Utc::now())) " UTC). "
            "Calendar file (iCal, 90 days): " a href=(url) { "everybody" }
            @if rota.people.contains_key(&visitor.name) {
                ", " a href={ (url) "?person=" (visitor.name) } { "only " (title(rota, &visitor.name)) }
            }
        }
    }
}
