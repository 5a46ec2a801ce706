//! The table of contents of the API: each route by its handler, which says method and template.
//!
//! Answers are what the viewer may know: `view` is the one place where an incident becomes JSON. `tests/sealed.rs` asks every
//! route that is listed here for what is sealed.

mod backup;
mod changes;
mod declare;
mod drills;
mod events;
mod hooks;
mod incidents;
mod input;
mod observe;
mod oncall;
mod openapi;
mod phone;
pub mod problems;
mod proxy;
mod releases;
mod runbooks;
mod slos;
mod status;
mod switches;
mod view;

use axum::extract::FromRef;
use chassis_http::Routes;
use utoipa::OpenApi as _;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    api::{events::Streams, openapi::ApiDoc, proxy::Proxy},
    room::Room,
};

/// What the handlers share. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Api {
    room: Room,
    proxy: Proxy,
    streams: Streams,
}

impl FromRef<Api> for Room {
    fn from_ref(api: &Api) -> Self {
        api.room.clone()
    }
}

impl FromRef<Api> for Proxy {
    fn from_ref(api: &Api) -> Self {
        api.proxy.clone()
    }
}

impl FromRef<Api> for Streams {
    fn from_ref(api: &Api) -> Self {
        api.streams.clone()
    }
}

/// Everything under `/api/v1`, `/v2` and `/hooks`, and the document at `/openapi.json`.
#[must_use]
pub fn routes(room: &Room) -> Routes {
    let proxy = Proxy::to(&room.config.sources.prometheus_url);
    let api = Api { room: room.clone(), proxy, streams: Streams::default() };
    Routes::documented(documented().with_state(api))
}

/// The OpenAPI document, as it is served.
#[must_use]
pub fn document() -> utoipa::openapi::OpenApi {
    chassis_http::openapi::document(&documented())
}

fn documented() -> OpenApiRouter<Api> {
    OpenApiRouter::with_openapi(ApiDoc::openapi())
        .merge(of_incidents())
        .merge(of_work())
        .merge(of_drills())
        .merge(of_runbooks())
        .merge(of_releases())
        .merge(observe::routes())
        .routes(routes!(oncall::now))
        .routes(routes!(oncall::shifts))
        .routes(routes!(oncall::read_schedule, declare::declare_schedule, declare::withdraw_schedule))
        .routes(routes!(declare::read_policy, declare::declare_policy, declare::withdraw_policy))
        .routes(routes!(oncall::add_override))
        .routes(routes!(oncall::remove_override))
        .routes(routes!(oncall::check))
        .routes(routes!(slos::list_slos))
        .routes(routes!(slos::read_slo, slos::declare_slo, slos::withdraw_slo))
        .routes(routes!(phone::pages))
        .routes(routes!(changes::list))
        .routes(routes!(status::status))
        .routes(routes!(status::measures))
        .routes(routes!(status::action_items))
        .routes(routes!(backup::backup))
        .routes(routes!(switches::faults))
        .routes(routes!(switches::act))
        .routes(routes!(events::events))
        .routes(routes!(proxy::query))
        .routes(routes!(proxy::query_range))
        .routes(routes!(hooks::alertmanager::take))
        .routes(routes!(hooks::slack::take))
        .routes(routes!(hooks::pagerduty::enqueue))
        .routes(routes!(hooks::pagerduty::change))
}

fn of_drills() -> OpenApiRouter<Api> {
    use drills::{list, runs, talk};
    OpenApiRouter::new()
        .routes(routes!(list::list_drills))
        .routes(routes!(list::show_drill))
        .routes(routes!(runs::list, runs::begin))
        .routes(routes!(runs::current))
        .routes(routes!(runs::show))
        .routes(routes!(runs::report))
        .routes(routes!(talk::hint))
        .routes(routes!(talk::answer))
        .routes(routes!(talk::update))
        .routes(routes!(talk::notice))
        .routes(routes!(talk::acknowledge))
        .routes(routes!(talk::submit))
        .routes(routes!(talk::abort))
        .routes(routes!(talk::learned))
        .routes(routes!(talk::pause))
}

fn of_releases() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(releases::list, releases::begin))
        .routes(routes!(releases::show))
        .routes(routes!(releases::curves))
        .routes(routes!(releases::told))
        .routes(routes!(releases::resume))
        .routes(routes!(releases::abort))
        .routes(routes!(releases::delivery))
}

fn of_incidents() -> OpenApiRouter<Api> {
    use incidents::{life, list, people, talk};
    OpenApiRouter::new()
        .routes(routes!(list::list, list::create))
        .routes(routes!(list::show))
        .routes(routes!(list::timeline))
        .routes(routes!(life::acknowledge))
        .routes(routes!(life::severity))
        .routes(routes!(life::state))
        .routes(routes!(life::title))
        .routes(routes!(life::major))
        .routes(routes!(people::roles))
        .routes(routes!(people::services))
        .routes(routes!(people::escalate))
        .routes(routes!(people::page))
        .routes(routes!(talk::updates))
        .routes(routes!(talk::read, talk::say))
        .routes(routes!(talk::diagnose))
}

fn of_work() -> OpenApiRouter<Api> {
    use incidents::{hypotheses, postmortem, work};
    OpenApiRouter::new()
        .routes(routes!(work::notes))
        .routes(routes!(work::tasks))
        .routes(routes!(work::task_done))
        .routes(routes!(work::links))
        .routes(routes!(hypotheses::state))
        .routes(routes!(hypotheses::findings))
        .routes(routes!(hypotheses::rule_out))
        .routes(routes!(hypotheses::confirm))
        .routes(routes!(postmortem::read, postmortem::write))
        .routes(routes!(postmortem::versions))
}

fn of_runbooks() -> OpenApiRouter<Api> {
    use runbooks::{automation, guardrails, list, runs};
    OpenApiRouter::new()
        .routes(routes!(list::all))
        .routes(routes!(list::one))
        .routes(routes!(list::dry))
        .routes(routes!(list::begin))
        .routes(routes!(runs::all))
        .routes(routes!(runs::one))
        .routes(routes!(runs::confirm))
        .routes(routes!(runs::skip))
        .routes(routes!(runs::approve))
        .routes(routes!(runs::decline))
        .routes(routes!(runs::stop))
        .routes(routes!(automation::read, automation::switch))
        .routes(routes!(
            guardrails::read_guardrail,
            guardrails::declare_guardrail,
            guardrails::withdraw_guardrail
        ))
        .routes(routes!(automation::audit))
        .routes(routes!(automation::toil))
}
