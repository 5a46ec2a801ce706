//! The list of incidents, and the form that declares one.

use std::sync::Arc;

use axum::{
    Router,
    extract::State,
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use chassis_http::Query;
use chrono::{DateTime, Utc};
use http::StatusCode;
use incident::{Id, Incident, Severity, State as Life};
use maud::{Markup, html};
use serde::Deserialize;

use super::{
    Area,
    failure::{Answer, sentence},
    incident::summary::names,
    layout::{Html, Page, Tab, page},
    parts::{
        Tone, ago, button, button_link, csrf, duration, empty, error_summary, lasting, select, severity,
        state, text_area, text_field,
    },
};
use crate::{
    access::{Form, Visitor},
    desk::{Filter, New},
    error::Error,
    room::Room,
};

/// Incidents of a page.
const PAGE: usize = 50;

/// The routes of this module.
pub(super) fn routes() -> Area {
    let router =
        Router::new().route("/incidents", get(list).post(declare)).route("/incidents/new", get(declaration));
    (router, &[("GET", "/incidents"), ("POST", "/incidents"), ("GET", "/incidents/new")])
}

/// What is asked for; an empty field is no filter, because forms send all of them.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Asked {
    state: String,
    severity: String,
    service: String,
    before: String,
}

impl Asked {
    fn filter(&self) -> Result<(Filter, Option<Id>), Error> {
        let (open, life) = match self.state.as_str() {
            "" => (None, None),
            "open" => (Some(true), None),
            name => {
                let expected = || {
                    Error::field(
                        "state",
                        "expected open, triage, active, mitigated, resolved, closed or dismissed",
                    )
                };
                (None, Some(name.parse::<Life>().map_err(|_| expected())?))
            }
        };
        let severity = match self.severity.as_str() {
            "" => None,
            name => Some(name.parse::<Severity>().map_err(|wrong| Error::field("severity", wrong))?),
        };
        let before = match self.before.as_str() {
            "" => None,
            name => Some(name.parse::<Id>().map_err(|wrong| Error::field("before", wrong))?),
        };
        let service = Some(self.service.clone()).filter(|name| !name.is_empty());
        Ok((Filter { open, state: life, severity, service }, before))
    }

    /// The address of the next page.
    fn older(&self, last: Id) -> String {
        let pairs = [("state", &self.state), ("severity", &self.severity), ("service", &self.service)];
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in pairs.into_iter().filter(|(_, value)| !value.is_empty()) {
            query.append_pair(name, value);
        }
        format!("/incidents?{}", query.append_pair("before", &last.to_string()).finish())
    }
}

async fn list(State(room): State<Room>, visitor: Visitor, Query(asked): Query<Asked>) -> Answer {
    let now = Utc::now();
    let (filter, before) = asked.filter()?;
    let mut found = room.desk.list(&filter, before, PAGE + 1).await?;
    let more = found.len() > PAGE;
    found.truncate(PAGE);
    let older = found.last().filter(|_| more).map(|last| asked.older(last.id));
    let body = html! {
        div.stack {
            div.toolbar {
                h1 { "Incidents" }
                (button_link("Declare an incident", "/incidents/new", Tone::Info))
            }
            (filters(&room, &asked))
            section.card aria-label="Incidents" {
                @if found.is_empty() {
                    (empty("No incident.", html! { "None was found with this filter. An alert opens one by itself." }))
                } @else { (table(&found, now)) }
            }
            @if let Some(older) = older { p { a href=(older) { "Older incidents" } } }
        }
    };
    Ok(page(&room, &Page { title: "Incidents", active: Tab::Incidents, visitor: &visitor, live: true }, body))
}

fn filters(room: &Room, asked: &Asked) -> Markup {
    let pair = |value: &str, text: &str| (value.to_owned(), text.to_owned());
    let mut states = vec![pair("", "any"), pair("open", "open")];
    states.extend(Life::ALL.iter().map(|one| pair(&one.to_string(), &one.to_string())));
    let mut severities = vec![pair("", "any")];
    severities.extend(Severity::ALL.iter().map(|one| pair(&one.to_string(), &one.to_string())));
    html! {
        form.inline method="get" action="/incidents" {
            (select("filter", "state", "State", &states, &asked.state))
            (select("filter", "severity", "Severity", &severities, &asked.severity))
            (select("filter", "service", "Service", &services(room, "any"), &asked.service))
            (button("Show", Tone::Quiet))
        }
    }
}

/// The services that somebody can choose, after a first entry that chooses none.
pub(super) fn services(room: &Room, none: &str) -> Vec<(String, String)> {
    let mut names: Vec<String> =
        room.config.sources.instances.iter().map(|one| one.service.clone()).collect();
    names.sort_unstable();
    names.dedup();
    let mut options = vec![(String::new(), none.to_owned())];
    options.extend(names.into_iter().map(|name| (name.clone(), name)));
    options
}

fn table(found: &[Arc<Incident>], now: DateTime<Utc>) -> Markup {
    html! {
        div.scroll {
            table.table {
                thead {
                    tr { th { "Incident" } th { "Severity" } th { "State" } th { "Opened" } th { "Lasted" } th { "Commander" } }
                }
                tbody {
                    @for incident in found {
                        tr {
                            td {
                                a.strong href={ "/incidents/" (incident.id) } data-item { span.mono { (incident.id) } " " (incident.title) }
                                @if !incident.services.is_empty() { div.muted { (names(incident)) } }
                            }
                            td { (severity(incident.severity)) }
                            td { (state(incident.state)) }
                            td.muted { (ago(incident.opened_at, now)) }
                            td.muted {
                                @if incident.state.is_open() { (lasting(incident.opened_at, now)) }
                                @else { (duration((incident.changed_at - incident.opened_at).as_seconds_f64())) }
                            }
                            td { (incident.roles.get(&incident::Role::Commander).map_or("–", String::as_str)) }
                        }
                    }
                }
            }
        }
    }
}

/// A declared incident.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Declared {
    title: String,
    #[serde(default)]
    description: String,
    severity: String,
    #[serde(default)]
    service: String,
}

async fn declaration(State(room): State<Room>, visitor: Visitor) -> Html {
    declaration_page(&room, &visitor, &Declared { severity: "SEV-2".to_owned(), ..Declared::default() }, None)
}

async fn declare(State(room): State<Room>, visitor: Visitor, Form(declared): Form<Declared>) -> Response {
    let severity = declared.severity.parse::<Severity>().map_err(|wrong| Error::field("severity", wrong));
    let services = Some(declared.service.clone()).filter(|name| !name.is_empty()).into_iter().collect();
    let done = match severity {
        Ok(severity) => {
            let (title, description) = (declared.title.clone(), declared.description.clone());
            room.desk.create(visitor.source(), New { title, description, severity, services }).await
        }
        Err(wrong) => Err(wrong),
    };
    match done {
        Ok(incident) => Redirect::to(&format!("/incidents/{}", incident.id)).into_response(),
        Err(wrong) => {
            let page = declaration_page(&room, &visitor, &declared, Some(&sentence(&wrong)));
            (StatusCode::UNPROCESSABLE_ENTITY, page).into_response()
        }
    }
}

fn declaration_page(room: &Room, visitor: &Visitor, declared: &Declared, wrong: Option<&str>) -> Html {
    let severities: Vec<(String, String)> =
        Severity::ALL.iter().map(|one| (one.to_string(), format!("{one}: {}", one.meaning()))).collect();
    let body = html! {
        div.stack {
            @if let Some(wrong) = wrong { (error_summary(wrong)) }
            h1 { "Declare an incident" }
            p.muted { "Do it early: an incident that turns out to be nothing costs a minute. " a href="/playbooks/declare" { "When to declare" } }
            form.card.stack method="post" action="/incidents" {
                (csrf(room, visitor))
                (text_field("declare", "title", "What do people see?", &declared.title, "A few words, such as: orders fail at the payment step."))
                (text_area("declare", "description", "What is known so far?", &declared.description, "Can be empty: who noticed, since when, what has been tried. It is on the incident's page and in the war room."))
                (select("declare", "severity", "How bad is it? When in doubt, take the worse one.", &severities, &declared.severity))
                (select("declare", "service", "Which service is most affected?", &services(room, "not known yet"), &declared.service))
                div.actions { (button("Declare", Tone::Info)) a href="/" { "Cancel" } }
            }
        }
    };
    page(room, &Page { title: "Declare an incident", active: Tab::Incidents, visitor, live: false }, body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_field_of_the_filter_filters_nothing_and_a_wrong_one_is_named() {
        let (filter, before) = Asked::default().filter().unwrap();
        assert!(
            filter.open.is_none() && filter.state.is_none() && filter.severity.is_none() && before.is_none()
        );
        let asked = Asked {
            state: "open".to_owned(),
            severity: "sev1".to_owned(),
            before: "INC-7".to_owned(),
            ..Asked::default()
        };
        let (filter, before) = asked.filter().unwrap();
        assert_eq!((filter.open, filter.severity, before), (Some(true), Some(Severity::Sev1), Some(Id(7))));
        let wrong = Asked { state: "alive".to_owned(), ..Asked::default() }
            .filter()
            .err()
            .map(|error| error.to_string());
        assert!(wrong.is_some_and(|wrong| wrong.starts_with("state: expected open")));
    }

    #[test]
    fn the_next_page_keeps_the_filter() {
        let asked = Asked { service: "order-api".to_owned(), ..Asked::default() };
        assert_eq!(asked.older(Id(51)), "/incidents?service=order-api&before=INC-51");
    }
}
