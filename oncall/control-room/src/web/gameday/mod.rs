//! A game day: several drills in a row, with roles, and a report at the end. The plan is the address of the page, so
//! it can be sent to everybody, and nothing has to be kept. Instructors also see the truth of the run that is on.

mod plan;
mod report;

use axum::{
    Router,
    extract::State,
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use chassis_http::Query;
use chrono::{DateTime, Utc};
use http::header::CONTENT_TYPE;
use incident::Role;
use maud::{Markup, html};

use self::{
    plan::Plan,
    report::{Row, Summary},
};
use super::{
    Area,
    drills::{facts, run::stopper, truth},
    failure::{Answer, sentence},
    layout::{Page, Tab, page},
    parts::{Tone, badge, button, button_link, csrf, empty, error_summary, or_dash, select, text_field},
};
use crate::{
    access::Visitor,
    error::{Error, Result},
    room::Room,
};

/// The routes of this module.
pub(super) fn routes() -> Area {
    let router = Router::new().route("/gameday", get(show)).route("/gameday/report", get(markdown));
    (router, &[("GET", "/gameday"), ("GET", "/gameday/report")])
}

async fn show(State(room): State<Room>, visitor: Visitor, Query(plan): Query<Plan>) -> Answer<Response> {
    let now = Utc::now();
    if plan.begins_now() {
        return Ok(Redirect::to(&plan.begun(now).address("/gameday")).into_response());
    }
    let rows = rows(&room, &visitor, &plan).await;
    let running = facts::current(&room, &visitor).await?;
    let body = html! {
        div.stack {
            @if let Err(wrong) = &rows { (error_summary(&sentence(wrong))) }
            p { a href="/drills" { "Drills" } }
            h1 { @if plan.title.is_empty() { "Game day" } @else { (plan.title) } }
            @if let Some(run) = &running { (on_now(&room, &visitor, run)) }
            @match &rows {
                Ok(rows) if !rows.is_empty() => {
                    (summary(&plan, rows))
                    div.split { (table(&room, &visitor, rows, running.is_none(), now)) (roles(&plan)) }
                },
                _ => (empty("No plan yet.", html! {
                    "Choose drills and roles below. The address of the page is the plan: send it to all."
                })),
            }
            (form(&room, &plan))
        }
    };
    let live = rows.as_ref().is_ok_and(|rows| !rows.is_empty());
    let frame = Page { title: "Game day", active: Tab::Drills, visitor: &visitor, live };
    Ok(page(&room, &frame, body).into_response())
}

/// The drills of the plan, each with its newest run since the begin.
async fn rows(room: &Room, visitor: &Visitor, plan: &Plan) -> Result<Vec<Row>> {
    let ids = plan.ids();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let begin = plan.begin()?;
    let runs = facts::runs(room, visitor, None).await?;
    let mut rows = Vec::with_capacity(ids.len());
    for id in ids {
        let drill = room.drills.get(id)?;
        let of = |run: &&facts::Run| {
            run.verify.is_none() && run.drill.as_deref() == Some(id) && run.started_at >= begin
        };
        rows.push(Row { run: runs.iter().find(of).cloned(), drill });
    }
    Ok(rows)
}

fn on_now(room: &Room, visitor: &Visitor, run: &facts::Run) -> Markup {
    html! {
        section.card.stack aria-labelledby="on-title" {
            h2 #on-title { "On now: " a href=(run.path()) { (run.title()) } }
            p { "Taken by " strong { (run.responder) } "." }
            @if visitor.is_instructor() {
                (stopper(room, visitor, run))
                @if let Some(found) = &run.truth { (truth::card(found, true)) }
            }
        }
    }
}

fn summary(plan: &Plan, rows: &[Row]) -> Markup {
    let summary = Summary::of(rows);
    html! {
        section.card aria-labelledby="summary-title" {
            div.toolbar {
                h2 #summary-title { "Report" }
                (button_link("As Markdown", &plan.address("/gameday/report"), Tone::Quiet))
            }
            div.lead {
                div { p.name { "Over" } p.big { (summary.over) " of " (rows.len()) } }
                div { p.name { "Passed" } p.big { (summary.passed) } }
                div {
                    p.name { "Median score" }
                    p.big { @match summary.median { Some(median) => { (median) }, None => { "–" } } }
                }
                div { p.name { "Hints taken" } p.big { (summary.hints) } }
            }
        }
    }
}

fn table(room: &Room, visitor: &Visitor, rows: &[Row], free: bool, now: DateTime<Utc>) -> Markup {
    let next = rows.iter().position(|row| row.run.is_none());
    html! {
        section.card aria-labelledby="drills-title" {
            h2 #drills-title { "Drills" }
            div.scroll tabindex="0" role="region" aria-label="Drills of the plan" {
                table.table.rows {
                    thead { tr {
                        th scope="col" { "Drill" } th.num scope="col" { "Time" }
                        th scope="col" { "Run" } th.num scope="col" { "Score" }
                    } }
                    tbody {
                        @for (at, row) in rows.iter().enumerate() {
                            tr {
                                th scope="row" { a href={ "/drills/" (row.drill.id) } { (row.drill.title) } }
                                td.num { (row.drill.time_box.as_secs() / 60) " min" }
                                td {
                                    @match &row.run {
                                        Some(run) => { (report::state(run, now)) },
                                        None if free && next == Some(at) => {
                                            (begin(room, visitor, &row.drill.id))
                                        },
                                        None => { (badge(Tone::Quiet, "later")) },
                                    }
                                }
                                td.num { (or_dash(row.points().map(f64::from), |points| points.to_string())) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn begin(room: &Room, visitor: &Visitor, drill: &str) -> Markup {
    html! {
        form method="post" action="/drills/runs" {
            (csrf(room, visitor))
            input type="hidden" name="drill" value=(drill);
            button.button.small type="submit" { "Begin" span.sr { " " (drill) } }
        }
    }
}

fn roles(plan: &Plan) -> Markup {
    html! {
        section.card aria-labelledby="roles-title" {
            h2 #roles-title { "Roles" }
            dl.kv {
                @for role in Role::ALL {
                    dt title=(role.duty()) { (role) }
                    dd {
                        @match plan.who(role) {
                            "" => { span.muted { "nobody" } },
                            person => { strong { (person) } },
                        }
                    }
                }
            }
            p.help { a href="/playbooks/roles" { "What each role does" } }
        }
    }
}

/// The plan as a form. It asks for a page and changes nothing.
fn form(room: &Room, plan: &Plan) -> Markup {
    let mut people = vec![(String::new(), "nobody".to_owned())];
    people.extend(room.duty.people().into_iter().map(|person| {
        let text = format!("{} ({})", person.title, person.name);
        (person.name, text)
    }));
    html! {
        section.card.stack aria-labelledby="form-title" {
            h2 #form-title { "Plan" }
            form.stack hx-morph-skip method="get" action="/gameday" {
                (text_field("plan", "title", "Title", &plan.title, ""))
                (text_field("plan", "drills", "Drills, in their order", &plan.drills,
                    "Names, with commas between them."))
                div.grid {
                    @for role in Role::ALL {
                        (select("plan", &role.to_string(), &role.to_string(), &people, plan.who(role)))
                    }
                }
                div.actions { (button("Make the plan", Tone::Info)) }
            }
        }
    }
}

/// `GET /gameday/report`: the same as Markdown, to keep.
async fn markdown(State(room): State<Room>, visitor: Visitor, Query(plan): Query<Plan>) -> Answer<Response> {
    let rows = rows(&room, &visitor, &plan).await?;
    if rows.is_empty() {
        return Err(Error::field("drills", "expected names of drills with commas between them").into());
    }
    let text = report::markdown(&plan, &rows);
    Ok(([(CONTENT_TYPE, "text/markdown; charset=utf-8")], text).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_without_a_person_says_so() {
        let plan = Plan { commander: "ada".to_owned(), ..Plan::default() };
        let shown = roles(&plan).into_string();
        assert!(shown.contains("<strong>ada</strong>") && shown.matches(">nobody<").count() == 3, "{shown}");
    }
}
