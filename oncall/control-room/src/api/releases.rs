//! Releases: what runs, starting one, what people do with it, and the four figures of delivery.

use std::time::Duration;

use axum::{extract::State as Shared, response::IntoResponse as _};
use chassis_http::{Json, Path, Query};
use http::{StatusCode, header::LOCATION};
use release::run::Event;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::{
    input::{Newest, Why, required},
    openapi::{Changes, Reads, Refusals},
    view::{self, Answer, shown},
};
use crate::{
    access::{Teller, Visitor},
    error::{Error, Result as Outcome},
    releases::NewRelease,
    room::Room,
};

/// Releases, the newest first.
#[utoipa::path(get, path = "/api/v1/releases", operation_id = "releases", params(Newest), responses(Reads))]
pub(crate) async fn list(
    Shared(room): Shared<Room>,
    // A program that releases asks which number is free.
    _teller: Teller,
    Query(asked): Query<Newest>,
) -> Answer {
    let releases = room.releases.list(asked.limit()).await?;
    shown(view::list("releases", &releases)?)
}

/// What to release.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WantedRelease {
    /// The service, such as order-api.
    service: String,
    /// Name of a build that `lab release start` has registered, such as v2.
    version: String,
    /// What it is for, in a sentence.
    why: String,
    /// Percent of the requests, step by step: 1 to 50, rising, and 100 at the end. Absent: 5, 25, 50, 100.
    #[serde(default)]
    steps: Option<Vec<u32>>,
    /// The rise of the share of failures that a step has to be able to see, 0.001 to 0.5; a smaller one takes more requests.
    /// Absent: 0.03.
    #[serde(default)]
    rise: Option<f64>,
    /// Least time of a step, such as 15s.
    #[serde(default)]
    hold: Option<String>,
    /// Longest time of a step, such as 15m; then a person decides.
    #[serde(default)]
    patience: Option<String>,
    /// Why it may begin although an error budget is spent or not known.
    #[serde(default, rename = "override")]
    over: Option<String>,
    /// Only a person decides: the judge says what it sees, and neither passes a step nor takes the version back.
    #[serde(default)]
    by_hand: bool,
}

/// Starts a release.
#[utoipa::path(post, path = "/api/v1/releases", operation_id = "begin_release", request_body = WantedRelease,
    responses(Refusals, (status = 201, description = "It is under way; `Location` says where.")))]
pub(crate) async fn begin(
    Shared(room): Shared<Room>,
    visitor: Visitor,
    Json(asked): Json<WantedRelease>,
) -> Answer {
    let wanted = NewRelease {
        hold: time("/hold", asked.hold.as_deref())?,
        patience: time("/patience", asked.patience.as_deref())?,
        service: asked.service,
        version: asked.version,
        why: required(asked.why)?,
        steps: asked.steps,
        rise: asked.rise,
        over: asked.over.map(required).transpose()?,
        by_hand: asked.by_hand,
    };
    let release = room.releases.begin(&room, &visitor, wanted).await?;
    let place = format!("/api/v1/releases/{}", release.id);
    Ok((StatusCode::CREATED, [(LOCATION, place)], Json(release)).into_response())
}

fn time(field: &str, text: Option<&str>) -> Outcome<Option<Duration>> {
    let wrong =
        |text: &str| Error::field(field, format!("expected a time such as 15s or 10m, found `{text}`"));
    text.map(|text| humantime::parse_duration(text).map_err(|_| wrong(text))).transpose()
}

/// A release: its steps, what the judge says, and how it ended.
#[utoipa::path(get, path = "/api/v1/releases/{id}", operation_id = "release", responses(Reads),
    params(("id" = String, Path, description = "The release, such as REL-7")))]
pub(crate) async fn show(Shared(room): Shared<Room>, _visitor: Visitor, Path(id): Path<String>) -> Answer {
    shown(room.releases.show(&id).await?)
}

/// What canary and baseline of a release did: shares of failed and of slow requests, in stretches of 10 seconds.
#[utoipa::path(get, path = "/api/v1/releases/{id}/curves", operation_id = "release_curves", responses(Reads),
    params(("id" = String, Path, description = "The release, such as REL-7")))]
pub(crate) async fn curves(Shared(room): Shared<Room>, _visitor: Visitor, Path(id): Path<String>) -> Answer {
    shown(room.releases.curves(&id).await?)
}

/// Lets an inconclusive release go to its next step.
#[utoipa::path(post, path = "/api/v1/releases/{id}/continue", operation_id = "continue_release",
    request_body = Why, responses(Changes), params(("id" = String, Path, description = "The release, such as REL-7")))]
pub(crate) async fn resume(
    Shared(room): Shared<Room>,
    visitor: Visitor,
    Path(id): Path<String>,
    Json(asked): Json<Why>,
) -> Answer {
    let why = required(asked.why)?;
    shown(room.releases.resume(&room, &visitor, &id, &why).await?)
}

/// Stops a release: the old version gets every request back.
#[utoipa::path(post, path = "/api/v1/releases/{id}/abort", operation_id = "abort_release",
    request_body = Why, responses(Changes), params(("id" = String, Path, description = "The release, such as REL-7")))]
pub(crate) async fn abort(
    Shared(room): Shared<Room>,
    visitor: Visitor,
    Path(id): Path<String>,
    Json(asked): Json<Why>,
) -> Answer {
    let why = required(asked.why)?;
    shown(room.releases.abort(&room, &visitor, &id, &why).await?)
}

/// What a terminal tells of a release that it drives.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ToldRelease {
    /// How many events of the release come before these.
    from: u32,
    /// What happened, in order, as `lab release` writes it to its file. The first event of a release is its start.
    #[schema(value_type = Vec<Object>)]
    events: Vec<Event>,
}

/// Takes the events of a release that a terminal drives in a cluster. They may be told again; `known` in the answer is how many this
/// room has. If that is less than `from`, none was taken: tell those in between first. Only the person who starts, continues or aborts
/// a release may tell that, or a program that sends HOOK_TOKEN: 403 otherwise.
#[utoipa::path(put, path = "/api/v1/releases/{id}/events", operation_id = "tell_release",
    request_body = ToldRelease, responses(Changes), params(("id" = String, Path, description = "The release, such as REL-7")))]
pub(crate) async fn told(
    Shared(room): Shared<Room>,
    teller: Teller,
    Path(id): Path<String>,
    Json(asked): Json<ToldRelease>,
) -> Answer {
    let from = usize::try_from(asked.from).unwrap_or(usize::MAX);
    let known = room.releases.told(&room, &teller, &id, from, &asked.events).await?;
    shown(json!({ "known": known }))
}

/// The four figures of delivery over the last 30 days.
#[utoipa::path(get, path = "/api/v1/delivery", operation_id = "delivery", responses(Reads))]
pub(crate) async fn delivery(Shared(room): Shared<Room>, _visitor: Visitor) -> Answer {
    shown(room.releases.delivery(&room).await?)
}
