//! The indicator around the incident: drawn by the server, and as JSON for the script.

use axum::extract::State;
use chassis_http::{Json, Path, Problem};
use incident::postmortem::Curve;
use maud::{Markup, html};
use serde_json::{Value, json};

use super::view::View;
use crate::{
    access::Visitor,
    room::Room,
    watch::sli_curve,
    web::parts::{Line, chart, empty, percent},
};

fn points(curve: &Curve) -> Vec<(f64, f64)> {
    curve.points.iter().map(|point| (point.at.timestamp_millis() as f64 / 1000.0, point.value)).collect()
}

/// The card with the curve.
pub(super) fn card(view: &View<'_>, curve: Option<&Curve>) -> Markup {
    html! {
        section.card aria-labelledby="curve-title" {
            h2 #curve-title { "Service level" }
            @match curve {
                Some(curve) => {
                    @let points = points(curve);
                    (chart("sli", &format!("{}/curve.json", view.path()), &Line {
                        title: &curve.title,
                        points: &points,
                        threshold: Some(curve.objective),
                        show: percent,
                    }))
                },
                None => {
                    (empty("No curve.", html! {
                        "No objective belongs to the affected services, or Prometheus does not answer."
                    }))
                },
            }
        }
    }
}

/// `GET /incidents/{id}/curve.json`.
pub(super) async fn json(
    State(room): State<Room>,
    _: Visitor,
    Path(name): Path<String>,
) -> Result<Json<Value>, Problem> {
    let incident = room.desk.get(super::id(&name)?).await?;
    Ok(Json(sli_curve(&room, &incident).await?.map_or_else(|| json!({ "data": [] }), |curve| model(&curve))))
}

/// The curve as `assets/room.js` reads it.
fn model(curve: &Curve) -> Value {
    let points = points(curve);
    let times: Vec<f64> = points.iter().map(|point| point.0).collect();
    let values: Vec<Option<f64>> =
        points.iter().map(|point| Some(point.1).filter(|value| value.is_finite())).collect();
    let mut marks = vec![json!({ "at": curve.from.timestamp(), "text": "the incident begins" })];
    marks.extend(curve.until.map(|until| json!({ "at": until.timestamp(), "text": "it is over" })));
    json!({
        "unit": "percentunit",
        "series": [{ "name": curve.title }],
        "data": [times, values],
        "thresholds": [{ "value": curve.objective, "tone": "bad", "label": "objective" }],
        "marks": marks,
    })
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta, Utc};
    use incident::postmortem::Point;

    use super::*;

    #[test]
    fn what_was_not_measured_is_null_in_the_model() {
        let from: DateTime<Utc> = "2026-06-01T12:00:00Z".parse().unwrap();
        let point = |seconds, value| Point { at: from + TimeDelta::seconds(seconds), value };
        let curve = Curve {
            title: "Order availability".to_owned(),
            objective: 0.999,
            points: vec![point(0, 1.0), point(1, f64::NAN)],
            from,
            until: None,
        };
        let model = model(&curve);
        assert_eq!(model["data"][1], json!([1.0, null]));
        assert_eq!(model["data"][0][1], json!(1_780_315_201.0));
        assert_eq!(model["marks"].as_array().map(Vec::len), Some(1));
    }
}
