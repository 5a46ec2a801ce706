//! How fast budgets burn, over time: the error ratio over the long window of the fast page, as a multiple of what the objective
//! allows.

use std::collections::BTreeMap;

use axum::{
    Json,
    extract::{Path, State},
};
use chrono::{DateTime, TimeDelta, Utc};
use observe::prometheus::Series;
use serde_json::{Value, json};
use slo::{
    Pair, Severity, Slo,
    live::{LABEL, Measured},
};

use crate::{
    access::Visitor,
    error::Result,
    eyes::within,
    objectives::Declared,
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
    let mut curves = read(room, "", now).await.unwrap_or_default();
    for one in room.objectives.all() {
        // A Prometheus that does not answer about one will not answer about the next.
        let Ok(points) = count(room, &one, now).await else { break };
        curves.insert(one.name.clone(), points);
    }
    curves
}

/// One curve, as the script draws it: with the factors at which somebody is told, and the incidents of the service.
pub(super) async fn curve(
    State(room): State<Room>,
    _: Visitor,
    Path(name): Path<String>,
) -> Answer<Json<Value>> {
    let now = Utc::now();
    let Some(slo) = room.content.slo(&name) else {
        let declared = room.objectives.declared(&name);
        let found = declared.as_ref().and_then(|one| Some((one, one.slo.as_ref().ok()?)));
        let Some((one, slo)) = found else { return Err(room.objectives.unknown(&name).into()) };
        let points = count(&room, one, now).await?;
        return Ok(Json(drawn(&room, slo, &points, now)));
    };
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
    let mut curves = BTreeMap::new();
    for series in range(room, &query, now).await? {
        let name = series.metric.get("slo").cloned().unwrap_or_default();
        let Some(slo) = room.content.slo(&name) else { continue };
        let points: Points = series.points().map(|(at, ratio)| (at, ratio / slo.budget())).collect();
        curves.insert(name, points);
    }
    Ok(curves)
}

/// The curve of an objective that was declared: counted, because nothing is recorded of it.
async fn count(room: &Room, one: &Declared, now: DateTime<Utc>) -> Result<Points> {
    let Some(live) = one.live(&room.content, room.config.clock) else { return Ok(Points::new()) };
    let windows = [fast(room).long];
    let series = range(room, &live.query(&windows), now).await?;
    // Times of one range are the same in all of its series.
    let mut counts: BTreeMap<i64, Vec<(&str, f64)>> = BTreeMap::new();
    for (name, series) in series.iter().filter_map(|series| Some((series.metric.get(LABEL)?, series))) {
        for (at, value) in series.points() {
            counts.entry(at as i64).or_default().push((name.as_str(), value));
        }
    }
    let burn = |(at, counts): (i64, Vec<(&str, f64)>)| {
        let mut measured = Measured::default();
        live.read(&windows, counts, &mut measured);
        Some((at as f64, live.current(&measured)?))
    };
    Ok(counts.into_iter().filter_map(burn).collect())
}

async fn range(room: &Room, query: &str, now: DateTime<Utc>) -> Result<Vec<Series>> {
    let step = (window(room) / POINTS).as_seconds_f64().max(1.0);
    let asked = room.eyes.prometheus.query_range(query, now - window(room), now, step);
    within("Prometheus", asked).await
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
