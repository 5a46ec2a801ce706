//! The page of one incident. At the top what is wrong and the next thing to do; then what is known; then what people did.

mod acts;
mod automation;
mod curve;
mod evidence;
mod forms;
mod head;
mod people;
pub(super) mod summary;
mod timeline;
mod view;
mod work;

use std::time::Duration;

use axum::{
    Router,
    extract::State,
    routing::{get, post},
};
use chassis_http::{Path, Query};
use chrono::Utc;
use incident::{Id, Incident, postmortem::Curve};
use maud::{Markup, html};
use serde::Deserialize;

use self::view::{View, Wrong};
use super::{
    Area,
    failure::Answer,
    layout::{Html, Page, Tab, page},
    parts::error_summary,
};
use crate::{
    access::Visitor,
    duty::Progress,
    error::Error,
    notify::{DeliveryRow, RoomMessage, WarRoom},
    room::Room,
    runbooks::view::RunbookRunView,
    watch::sli_curve,
};

/// How long the page waits for its curve; without it, it is drawn without.
const CURVE: Duration = Duration::from_millis(1500);

/// The routes of this module.
pub(super) fn routes() -> Area {
    let router = Router::new()
        .route("/incidents/{id}", get(show))
        .route("/incidents/{id}/curve.json", get(curve::json))
        .route("/incidents/{id}/acknowledge", post(forms::acknowledge))
        .route("/incidents/{id}/state/{to}", post(forms::state))
        .route("/incidents/{id}/severity", post(forms::severity))
        .route("/incidents/{id}/major", post(forms::major))
        .route("/incidents/{id}/title", post(forms::title))
        .route("/incidents/{id}/roles", post(forms::roles))
        .route("/incidents/{id}/services", post(forms::services))
        .route("/incidents/{id}/escalate", post(forms::escalate))
        .route("/incidents/{id}/page", post(forms::page))
        .route("/incidents/{id}/diagnose", post(acts::diagnose))
        .route("/incidents/{id}/updates", post(acts::updates))
        .route("/incidents/{id}/notes", post(acts::notes))
        .route("/incidents/{id}/messages", post(acts::messages))
        .route("/incidents/{id}/tasks", post(acts::tasks))
        .route("/incidents/{id}/tasks/{number}/done", post(acts::task_done))
        .route("/incidents/{id}/links", post(acts::links))
        .route("/incidents/{id}/hypotheses", post(acts::hypotheses))
        .route("/incidents/{id}/hypotheses/{number}/findings", post(acts::findings))
        .route("/incidents/{id}/hypotheses/{number}/verdict", post(acts::verdict));
    (router, DECLARED)
}

const DECLARED: &[(&str, &str)] = &[
    ("GET", "/incidents/{id}"),
    ("GET", "/incidents/{id}/curve.json"),
    ("POST", "/incidents/{id}/acknowledge"),
    ("POST", "/incidents/{id}/state/{to}"),
    ("POST", "/incidents/{id}/severity"),
    ("POST", "/incidents/{id}/major"),
    ("POST", "/incidents/{id}/title"),
    ("POST", "/incidents/{id}/roles"),
    ("POST", "/incidents/{id}/services"),
    ("POST", "/incidents/{id}/escalate"),
    ("POST", "/incidents/{id}/page"),
    ("POST", "/incidents/{id}/diagnose"),
    ("POST", "/incidents/{id}/updates"),
    ("POST", "/incidents/{id}/notes"),
    ("POST", "/incidents/{id}/messages"),
    ("POST", "/incidents/{id}/tasks"),
    ("POST", "/incidents/{id}/tasks/{number}/done"),
    ("POST", "/incidents/{id}/links"),
    ("POST", "/incidents/{id}/hypotheses"),
    ("POST", "/incidents/{id}/hypotheses/{number}/findings"),
    ("POST", "/incidents/{id}/hypotheses/{number}/verdict"),
];

/// Reads an incident's name in a path.
pub(super) fn id(name: &str) -> Result<Id, Error> {
    name.parse().map_err(|wrong| Error::field("incident", wrong))
}

/// Which entries of the timeline are shown.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Asked {
    show: String,
}

async fn show(
    State(room): State<Room>,
    visitor: Visitor,
    Path(name): Path<String>,
    Query(asked): Query<Asked>,
) -> Answer {
    draw(&room, &visitor, id(&name)?, &asked.show, None).await
}

/// What is not part of the incident itself. Each is read by itself: what fails is missing, and the rest is shown.
struct Around {
    curve: Option<Curve>,
    progress: Option<Progress>,
    war_room: Option<WarRoom>,
    thread: Vec<RoomMessage>,
    deliveries: Vec<DeliveryRow>,
    runs: Vec<RunbookRunView>,
    has_paper: bool,
}

async fn around(room: &Room, incident: &Incident) -> Around {
    let id = incident.id;
    let curve = tokio::time::timeout(CURVE, sli_curve(room, incident));
    let (curve, progress) = tokio::join!(curve, room.duty.progress(room, id));
    Around {
        curve: curve.ok().and_then(Result::ok).flatten(),
        progress: progress.ok().flatten(),
        war_room: room.notify.war_room(id).await.ok().flatten(),
        thread: room.notify.thread(id, 0).await.unwrap_or_default(),
        deliveries: room.notify.deliveries(id).await.unwrap_or_default(),
        runs: automation::runs(room, id).await,
        has_paper: room.papers.latest(id).await.is_ok_and(|paper| paper.is_some()),
    }
}

/// The page, with what was wrong with a form, if something was.
async fn draw(room: &Room, visitor: &Visitor, id: Id, show: &str, wrong: Option<&Wrong>) -> Answer<Html> {
    let incident = room.desk.get(id).await?;
    let around = around(room, &incident).await;
    let view = View { room, visitor, incident: &incident, now: Utc::now(), wrong };
    let title = format!("{} {}", incident.id, incident.title);
    // A page that says what was wrong stays as it is until it has been read.
    let live = wrong.is_none();
    let frame = Page { title: &title, active: Tab::Incidents, visitor, live };
    Ok(page(room, &frame, body(&view, &around, show)))
}

fn body(view: &View<'_>, around: &Around, show: &str) -> Markup {
    html! {
        div.stack {
            @if let Some(wrong) = view.wrong { (error_summary(&wrong.what)) }
            (head::head(view, around.has_paper))
            div.split {
                div.stack {
                    (evidence::situation(view))
                    (curve::card(view, around.curve.as_ref()))
                    (work::hypotheses(view))
                    (evidence::diagnosis(view))
                    (timeline::card(view, show))
                }
                div.stack {
                    (automation::card(view, &around.runs))
                    (people::duty(view, around.progress.as_ref(), &around.deliveries))
                    (people::war_room(view, around.war_room.as_ref(), &around.thread))
                    (work::tasks(view))
                    (work::links(view))
                    (evidence::measures(view))
                }
            }
        }
    }
}
