//! Overrides: somebody takes over a shift, is on call in addition, or is not. Made here, they are in the control room's own file, beside
//! those of `oncall.yaml`.

use axum::{
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
};
use chrono::{DateTime, NaiveDateTime, TimeDelta, Timelike as _, Utc};
use http::StatusCode;
use maud::{Markup, html};
use rota::{Rota, Schedule, Zone, schedule::Change};
use serde::Deserialize;

use super::{Asked, draw, no_schedule, title};
use crate::{
    access::{Form, Visitor},
    duty::OverrideRow,
    error::{Error, Result},
    room::Room,
    web::{
        failure::{Answer, Failure},
        parts::{Tone, ago, badge, button, csrf, empty, select},
    },
};

/// How `datetime-local` writes a time.
const WALL: &str = "%Y-%m-%dT%H:%M";
const CHANGES: [(&str, &str); 3] = [
    ("replace", "Replace: another person takes the shifts"),
    ("add", "Add: one more person is on call"),
    ("remove", "Remove: the person is not on call"),
];

/// The fields of the form, as they were sent.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Draft {
    schedule: String,
    change: String,
    person: String,
    #[serde(default)]
    with: String,
    from: String,
    until: String,
}

/// The removal has no field.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

pub(super) async fn add(State(room): State<Room>, visitor: Visitor, Form(draft): Form<Draft>) -> Response {
    match keep(&room, &visitor, &draft).await {
        Ok(()) => Redirect::to(&format!("/oncall?schedule={}#overrides", draft.schedule)).into_response(),
        Err(error) => again(&room, &visitor, &draft, error),
    }
}

pub(super) async fn remove(
    State(room): State<Room>,
    visitor: Visitor,
    Path(id): Path<i64>,
    Form(Nothing {}): Form<Nothing>,
) -> Answer<Redirect> {
    let schedule = room.duty.overrides().into_iter().find(|row| row.id == id).map(|row| row.schedule);
    room.duty.remove_override(&visitor.name, id).await?;
    let schedule = schedule.map_or_else(String::new, |name| format!("?schedule={name}"));
    Ok(Redirect::to(&format!("/oncall{schedule}#overrides")))
}

async fn keep(room: &Room, visitor: &Visitor, draft: &Draft) -> Result<()> {
    let state = room.duty.rota();
    let schedule =
        state.rota.schedule(&draft.schedule).ok_or_else(|| no_schedule(&state.rota, &draft.schedule))?;
    let change = draft.change()?;
    let (from, until) =
        (instant("from", &draft.from, &schedule.zone)?, instant("until", &draft.until, &schedule.zone)?);
    room.duty.add_override(&visitor.name, &schedule.name, change, from, until).await?;
    Ok(())
}

/// The page once more, with what was wrong and what was typed.
fn again(room: &Room, visitor: &Visitor, draft: &Draft, error: Error) -> Response {
    let asked = Asked { schedule: Some(draft.schedule.clone()), ..Asked::default() };
    match draw(room, visitor, &asked, Some((draft, &error))) {
        Ok(html) => (StatusCode::UNPROCESSABLE_ENTITY, html).into_response(),
        Err(_) => Failure::from(error).into_response(),
    }
}

impl Draft {
    fn change(&self) -> Result<Change> {
        let person = self.person.clone();
        match self.change.as_str() {
            "add" => Ok(Change::Add(person)),
            "remove" => Ok(Change::Remove(person)),
            "replace" if self.with.is_empty() => Err(Error::field("with", "choose who takes the shifts")),
            "replace" if self.with == person => {
                Err(Error::field("with", format!("expected somebody other than {person}")))
            }
            "replace" => Ok(Change::Replace { person, with: self.with.clone() }),
            other => Err(Error::field("change", format!("expected replace, add or remove, found `{other}`"))),
        }
    }
}

fn instant(field: &str, text: &str, zone: &Zone) -> Result<DateTime<Utc>> {
    // Browsers add seconds if there are any.
    let wall = NaiveDateTime::parse_from_str(text, WALL)
        .or_else(|_| NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S"));
    let wall = wall.map_err(|_| {
        Error::field(field, format!("expected a date and a time such as 2026-11-29T09:00, found `{text}`"))
    })?;
    Ok(zone.first(wall))
}

/// Those that hold now or later.
pub(super) fn list(room: &Room, visitor: &Visitor, schedule: &Schedule, now: DateTime<Utc>) -> Markup {
    let mut rows: Vec<OverrideRow> = room.duty.overrides();
    rows.retain(|row| row.schedule == schedule.name && row.until > now);
    rows.sort_by_key(|row| row.from);
    if rows.is_empty() {
        return empty("No override was made here.", html! { "Those of the file are in the calendar." });
    }
    html! {
        div.card.scroll tabindex="0" role="region" aria-label="Overrides" {
            table.table.rows {
                thead { tr {
                    th scope="col" { "Change" } th scope="col" { "From" } th scope="col" { "Until" }
                    th scope="col" { "Made by" } th scope="col" { span.sr { "Remove" } }
                } }
                tbody { @for row in &rows { (line(room, visitor, schedule, row, now)) } }
            }
        }
    }
}

fn line(
    room: &Room,
    visitor: &Visitor,
    schedule: &Schedule,
    row: &OverrideRow,
    now: DateTime<Utc>,
) -> Markup {
    let state = room.duty.rota();
    let wall = |at: DateTime<Utc>| schedule.zone.local(at).format("%a %e %b %H:%M").to_string();
    html! {
        tr {
            th scope="row" {
                (words(&state.rota, &row.change)) " "
                @if row.from <= now { (badge(Tone::Info, "now")) }
            }
            td.num { (wall(row.from)) }
            td.num { (wall(row.until)) }
            td { (title(&state.rota, &row.by)) " " (ago(row.at, now)) }
            td {
                form method="post" action={ "/oncall/overrides/" (row.id) "/remove" } {
                    (csrf(room, visitor))
                    (button("Remove", Tone::Quiet))
                }
            }
        }
    }
}

fn words(rota: &Rota, change: &Change) -> String {
    match change {
        Change::Add(person) => format!("{} is on call too", title(rota, person)),
        Change::Remove(person) => format!("{} is not on call", title(rota, person)),
        Change::Replace { person, with } => format!("{} for {}", title(rota, with), title(rota, person)),
    }
}

/// The form; with what was typed, if it was wrong.
pub(super) fn form(
    room: &Room,
    visitor: &Visitor,
    rota: &Rota,
    schedule: &Schedule,
    now: DateTime<Utc>,
    draft: Option<&Draft>,
) -> Markup {
    let people = || rota.people.values().map(|person| (person.name.clone(), person.title.clone()));
    let some: Vec<(String, String)> = people().collect();
    let none = (String::new(), "nobody (only for Replace)".to_owned());
    let with: Vec<(String, String)> = std::iter::once(none).chain(people()).collect();
    let changes: [(String, String); 3] = CHANGES.map(|(value, text)| (value.to_owned(), text.to_owned()));
    let hour = schedule.zone.local(now).with_minute(0).unwrap_or_else(|| schedule.zone.local(now));
    let wall = |hours| (hour + TimeDelta::hours(hours)).format(WALL).to_string();
    let primary = schedule.primary(now).map(|primary| primary.person).unwrap_or_default();
    let or =
        |field: fn(&Draft) -> &String, default: String| draft.map_or(default, |draft| field(draft).clone());
    html! {
        details.act open[draft.is_some()] {
            summary { "Add an override" }
            form.card.stack method="post" action="/oncall/overrides" {
                (csrf(room, visitor))
                input type="hidden" name="schedule" value=(schedule.name);
                (select("override", "change", "What changes", &changes, &or(|draft| &draft.change, "replace".to_owned())))
                (select("override", "person", "Who", &some, &or(|draft| &draft.person, primary)))
                (select("override", "with", "Who takes the shifts", &with, &or(|draft| &draft.with, String::new())))
                (time_field("from", "From", &or(|draft| &draft.from, wall(1)), &schedule.zone))
                (time_field("until", "Until", &or(|draft| &draft.until, wall(25)), &schedule.zone))
                (button("Add the override", Tone::Info))
            }
        }
    }
}

fn time_field(name: &str, label: &str, value: &str, zone: &Zone) -> Markup {
    let id = format!("override-{name}");
    html! {
        div.field {
            label for=(id) { (label) }
            p.help id={ (id) "-help" } { "Wall time in " (zone) ", at most 90 days in all." }
            input type="datetime-local" id=(id) name=(name) value=(value) required aria-describedby={ (id) "-help" };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(change: &str, with: &str) -> Draft {
        let text = str::to_owned;
        Draft {
            schedule: text("first-line"),
            change: text(change),
            person: text("ada"),
            with: text(with),
            from: text("2026-11-29T09:00"),
            until: text("2026-11-30T09:00"),
        }
    }

    #[test]
    fn a_replacement_needs_somebody_else() {
        assert_eq!(
            draft("replace", "ben").change().unwrap(),
            Change::Replace { person: "ada".to_owned(), with: "ben".to_owned() }
        );
        assert_eq!(draft("remove", "").change().unwrap(), Change::Remove("ada".to_owned()));
        for (change, with, field) in
            [("replace", "", "with"), ("replace", "ada", "with"), ("swap", "", "change")]
        {
            let error = draft(change, with).change().unwrap_err().to_string();
            assert!(error.starts_with(&format!("{field}: ")), "{error}");
        }
    }

    #[test]
    fn times_are_wall_times_of_the_schedule() {
        let berlin = Zone::named("Europe/Berlin").unwrap();
        let at = instant("from", "2026-11-29T09:00", &berlin).unwrap();
        assert_eq!(at.to_rfc3339(), "2026-11-29T08:00:00+00:00");
        assert!(
            instant("from", "tomorrow", &berlin)
                .unwrap_err()
                .to_string()
                .starts_with("from: expected a date")
        );
    }
}
