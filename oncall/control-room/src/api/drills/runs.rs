//! Runs: to begin one, to look at those that there are, and their reports.

use axum::{
    extract::State as Shared,
    response::{IntoResponse, Response},
};
use chassis_http::{Json, Path, Problem, Query, problems::NOT_FOUND};
use drill::{Mode, engine::Responder, names::Difficulty};
use http::{
    StatusCode,
    header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    access::{Visitor, legal},
    api::openapi::{Reads, Refusals},
    drills::{Format, Order, RunView},
    error::{Error, Result},
    room::Room,
};

/// Runs of an answer if the caller does not say.
const LIMIT: usize = 20;
/// Most runs of an answer.
const MOST: usize = 100;
/// A report is looked at, and does nothing.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

/// Which runs.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct RunsAsked {
    /// Only runs of this drill.
    drill: Option<String>,
    /// Runs of an answer, 1 to 100, by default 20.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<usize>,
}

/// Runs.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct DrillRunList {
    /// Newest first.
    runs: Vec<RunView>,
}

/// Lists runs, newest first: the one in progress, and those that have ended.
#[utoipa::path(get, path = "/api/v1/drills/runs", operation_id = "list_drill_runs", params(RunsAsked),
    responses(Reads, (status = 200, description = "The runs.", body = DrillRunList)))]
pub(crate) async fn list(
    Shared(room): Shared<Room>,
    visitor: Visitor,
    Query(asked): Query<RunsAsked>,
) -> std::result::Result<Json<DrillRunList>, Problem> {
    let limit = asked.limit.unwrap_or(LIMIT);
    if !(1..=MOST).contains(&limit) {
        return Err(Error::field("limit", format!("a whole number from 1 to {MOST}")).into());
    }
    let runs = room.drills.runs(&visitor, asked.drill.as_deref(), limit).await?;
    Ok(Json(DrillRunList { runs }))
}

/// What to begin.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewDrillRun {
    /// Name of the drill.
    #[serde(default)]
    drill: Option<String>,
    /// A drill that nobody knows in advance, instead of `drill`.
    #[serde(default)]
    mystery: bool,
    /// How hard a mystery is: first-day, easy, medium, hard or brutal; absent: as is suggested.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    difficulty: Option<Difficulty>,
    /// Who responds, if it is not the caller: the name of a person or an agent.
    #[serde(default)]
    responder: Option<String>,
    /// Proves the drill instead of running it for somebody: solution, nothing or restart-all. For
    /// instructors.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    verify: Option<Responder>,
    /// Decides what the faults hit; for instructors also which drill a mystery is. Absent: the drill's own, and any.
    #[serde(default)]
    seed: Option<u64>,
    /// The action item of the drill that is switched on, by its name; only with `verify`.
    #[serde(default)]
    variant: Option<String>,
}

impl NewDrillRun {
    fn order(self, visitor: &Visitor) -> Result<Order> {
        let Self { drill, mystery, difficulty, responder, verify, seed, variant } = self;
        if drill.is_some() == mystery {
            return Err(Error::field("/drill", "the name of a drill, or `mystery`: one of the two"));
        }
        if verify.is_some() && (mystery || responder.is_some()) {
            return Err(Error::field("/verify", "only with `drill`, and without `responder`"));
        }
        if variant.is_some() && verify.is_none() {
            return Err(Error::field("/variant", "only with `verify`"));
        }
        if difficulty.is_some() && !mystery {
            return Err(Error::field("/difficulty", "only with `mystery`"));
        }
        let mode = match (verify, responder) {
            (Some(responder), _) => Mode::Verify { responder },
            (None, Some(name)) if !legal(&name) => {
                let expected = "a name of small letters, digits and hyphens, such as ada";
                return Err(Error::field("/responder", expected));
            }
            (None, responder) => Mode::Person { name: responder.unwrap_or_else(|| visitor.name.clone()) },
        };
        Ok(Order { drill, mode, seed, difficulty, variant })
    }
}

/// Begins a run. It waits for a healthy shop, breaks something, and ends everything that it began.
#[utoipa::path(post, path = "/api/v1/drills/runs", operation_id = "begin_drill", request_body = NewDrillRun,
    responses(Refusals, (status = 201, description = "It begins; `Location` says where.", body = RunView)))]
pub(crate) async fn begin(
    Shared(room): Shared<Room>,
    visitor: Visitor,
    Json(asked): Json<NewDrillRun>,
) -> std::result::Result<Response, Problem> {
    let run = room.drills.begin(&room, &visitor, asked.order(&visitor)?).await?;
    let place = format!("/api/v1/drills/runs/{}", run.id);
    Ok((StatusCode::CREATED, [(LOCATION, place)], Json(run)).into_response())
}

/// Shows the run in progress.
#[utoipa::path(get, path = "/api/v1/drills/current", operation_id = "current_drill",
    responses(Reads, (status = 200, description = "The run.", body = RunView)))]
pub(crate) async fn current(
    Shared(room): Shared<Room>,
    visitor: Visitor,
) -> std::result::Result<Json<RunView>, Problem> {
    let run = room.drills.current(&visitor).await?;
    run.map(Json).ok_or_else(|| Problem::new(&NOT_FOUND, "No drill is under way."))
}

/// Shows a run.
#[utoipa::path(get, path = "/api/v1/drills/runs/{id}", operation_id = "show_drill_run",
    params(("id" = i64, Path, description = "Its number")),
    responses(Reads, (status = 200, description = "The run.", body = RunView)))]
pub(crate) async fn show(
    Shared(room): Shared<Room>,
    visitor: Visitor,
    Path(id): Path<i64>,
) -> std::result::Result<Json<RunView>, Problem> {
    Ok(Json(room.drills.run(&visitor, id).await?))
}

/// Which form.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ReportAsked {
    /// markdown, html, junit or json; by default markdown.
    #[serde(default)]
    #[param(value_type = Option<String>)]
    format: Format,
}

/// The report of a run that is over.
#[utoipa::path(get, path = "/api/v1/drills/runs/{id}/report", operation_id = "drill_report",
    params(("id" = i64, Path, description = "The run's number"), ReportAsked),
    responses(Refusals, (status = 200, description = "The report, as text.", body = String)))]
pub(crate) async fn report(
    Shared(room): Shared<Room>,
    visitor: Visitor,
    Path(id): Path<i64>,
    Query(asked): Query<ReportAsked>,
) -> std::result::Result<Response, Problem> {
    let text = room.drills.report(&visitor, id, asked.format).await?;
    let headers = [(CONTENT_TYPE, asked.format.media_type()), (CONTENT_SECURITY_POLICY, POLICY)];
    Ok((headers, text).into_response())
}

#[cfg(test)]
mod tests {
    use incident::Viewer;
    use serde_json::{Value, json};

    use super::*;

    fn order(body: Value) -> Result<Order> {
        let visitor = Visitor { name: "ada".to_owned(), role: Viewer::Trainee };
        serde_json::from_value::<NewDrillRun>(body).unwrap().order(&visitor)
    }

    #[test]
    fn the_caller_responds_unless_another_name_is_given() {
        let by = |body: Value| order(body).unwrap().mode;
        assert_eq!(by(json!({ "drill": "x" })), Mode::Person { name: "ada".to_owned() });
        let agent = by(json!({ "mystery": true, "difficulty": "hard", "responder": "claude-1" }));
        assert_eq!(agent, Mode::Person { name: "claude-1".to_owned() });
        let verify = by(json!({ "drill": "x", "verify": "restart-all", "seed": 7 }));
        assert_eq!(verify, Mode::Verify { responder: Responder::RestartAll });
    }

    #[test]
    fn what_does_not_fit_together_is_refused_with_its_field() {
        for (body, field) in [
            (json!({}), "/drill"),
            (json!({ "drill": "x", "mystery": true }), "/drill"),
            (json!({ "mystery": true, "verify": "nothing" }), "/verify"),
            (json!({ "drill": "x", "responder": "Ada L." }), "/responder"),
            (json!({ "drill": "x", "difficulty": "easy" }), "/difficulty"),
        ] {
            let refused = order(body.clone()).unwrap_err().to_string();
            assert!(refused.starts_with(field), "{body}: {refused}");
        }
    }
}
