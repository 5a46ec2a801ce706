//! What reached the phone of the person on call: `lab pages`.

use axum::extract::State as Shared;
use chassis_http::{Json, Query};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{incidents::Answer, openapi::Reads, view};
use crate::{access::Visitor, error::Error, room::Room};

/// Most pages of an answer, and how many are kept.
const MOST: usize = 10_000;

/// Which pages.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PagesAsked {
    /// Only pages with a larger number.
    #[serde(default)]
    after: i64,
    /// Pages of an answer, 1 to 10,000, by default 10,000.
    #[param(minimum = 1, maximum = 10000)]
    limit: Option<usize>,
}

/// Pages, tickets and messages, oldest first. The newest 10,000 are kept.
#[utoipa::path(get, path = "/api/v1/pages", operation_id = "pages", params(PagesAsked), responses(Reads))]
pub(crate) async fn pages(
    Shared(room): Shared<Room>,
    _visitor: Visitor,
    Query(asked): Query<PagesAsked>,
) -> Answer {
    let limit = asked.limit.unwrap_or(MOST);
    if !(1..=MOST).contains(&limit) {
        return Err(Error::field("limit", format!("a whole number from 1 to {MOST}")).into());
    }
    Ok(Json(view::list("pages", &room.phone.after(asked.after, limit).await?)?))
}
