//! How fast budgets burn, over time: the error ratio over the long window of the fast page, as a multiple of what the objective
//! allows.

use std::collections::BTreeMap;

use axum::{
    Json,
    extract::{Path, State},
};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use slo::{Pair, Severity, Slo};

use crate::{
    access::Visitor,
    error::{Error, Result},
    eyes::within,
    room::Room,
    watch::{Reach, Seen},
    web::failure::Answer,
};

/// What is shown, on the production clock. The lab shows an hour.
const WINDOW: TimeDelta = TimeDelta::days(1);
/// Points of a curve.
const POINTS: i32 = 120;

/// Times in seconds since 1970, and burn rates.
pub(super) type Points = Vec<(f64, f64)>;

/// The curve of every objective, by name; none while Prometheus does not answer.
pub(super) async fn all(room: &Room, seen: &Seen, now: DateTime<Utc>) -> BTreeMap<String, Points> {
    if matches!(seen.prometheus, Reach::Down(_)) {
        return BTreeMap::new();
    }
    read(room, "", now).await.unwrap_or_default()
}

/// One curve, as the script draws it: with the factors at which somebody is told, and the incidents of the service.
pub(super) async fn curve(
    State(room): State<Room>,
    _: Visitor,
    Path(name): Path<String>,
) -> Answer<Json<Value>> {
    let slos = room.content.slos();
    let Some(slo) = slos.iter().find(|slo| slo.name == name) else {
        let known: Vec<&str> = slos.iter().map(|slo| slo.name.as_str()).collect();
        return Err(Error::NoSuch { what: "objective", name, known: known.join(", ") }.into());
    };
    let now = Utc::now();
    let mut curves = read(&room, &format!("{{slo=\"{}\"}}", slo.name), now).await?;
    let points = curves.remove(&slo.name).unwrap_or_default();
    Ok(Json(drawn(&room, slo, &points, now)))
}

/// What is shown, and its end.
fn window(room: &Room) -> TimeDelta {
    if room.config.speed() == 1 { WINDOW } else { TimeDelta::hours(1) }
}

/// The pair that pages first.
pub(in crate::web) fn fast(room: &Room) -> Pair {
    room.config.clock.pairs()[0]
}

async fn read(room: &Room, selector: &str, now: DateTime<Utc>) -> Result<BTreeMap<String, Points>> {
    let query = format!("slo:sli_error:ratio_rate{}{selector}", fast(room).long);
    let from = now - window(room);
    let step = (window(room) / POINTS).as_seconds_f64().max(1.0);
    let asked = room.eyes.prometheus.query_range(&query, from, now, step);
    let mut curves = BTreeMap::new();
    for series in within("Prometheus", asked).await? {
        let name = series.metric.get("slo").cloned().unwrap_or_default();
        let Some(slo) = room.content.slos().iter().find(|slo| slo.name == name) else { continue };
        let points: Points = series.points().map(|(at, ratio)| (at, ratio / slo.budget())).collect();
        curves.insert(name, points);
    }
    Ok(curves)
}

fn drawn(room: &Room, slo: &Slo, points: &[(f64, f64)], now: DateTime<Utc>) -> Value {
    let thresholds = room.config.clock.pairs().into_iter().filter(|pair| pair.severity == Severity::Page);
    let thresholds = thresholds.map(
        |pair| json!({ "value": pair.factor, "tone": "bad", "label": format!("page: {}×", pair.factor) }),
    );
    let since = now - window(room);
    let incidents = room.desk.recent(100).into_iter();
    let marks =
        incidents.filter(|one| one.services.contains(&slo.service) && one.opened_at >= since).map(|one| {
            json!({ "at": one.opened_at.timestamp(), "text": format!("{}: {}", one.id, one.title),
                "url": format!("/incidents/{}", one.id) })
        });
    let (times, values): (Vec<f64>, Vec<f64>) = points.iter().copied().unzip();
    json!({
        "unit": "short",
        "series": [{ "name": "burn rate", "dashed": false }],
        "data": [times, values],
        "thresholds": thresholds.collect::<Vec<_>>(),
        "marks": marks.collect::<Vec<_>>(),
        "exemplars": [],
    })
}
