//! The service level indicators of an incident: which objectives it is about, when they got worse, and their curve.

use chrono::{DateTime, TimeDelta, Utc};
use incident::{
    EntryKind, Evidence, Id, Incident, Measures, Source, Viewer, What,
    postmortem::{Curve, Point},
};
use observe::prometheus::Series;
use slo::{Clock, Slo, Window, window::percent};

use crate::{
    error::Result,
    eyes::{links, within},
    room::Room,
};

/// Points of a curve, about.
const POINTS: f64 = 240.0;

/// The objectives that an incident is about: those that its alerts name, otherwise those of its services.
pub(super) fn of<'s>(slos: &'s [Slo], incident: &Incident) -> Vec<&'s Slo> {
    let named = |slo: &&Slo| {
        incident
            .alerts
            .iter()
            .any(|member| member.alert.labels.get("slo").is_some_and(|name| *name == slo.name))
    };
    let found: Vec<&Slo> = slos.iter().filter(named).collect();
    if found.is_empty() {
        slos.iter().filter(|slo| incident.services.contains(&slo.service)).collect()
    } else {
        found
    }
}

/// The share of bad events over the shortest window, which the rules record.
fn indicator(slo: &Slo, clock: Clock) -> String {
    format!("slo:sli_error:ratio_rate{}{{slo=\"{}\"}}", clock.base(), slo.name)
}

/// Whether a share of bad events is more than the objective allows.
pub(super) fn is_bad(slo: &Slo, ratio: f64) -> bool {
    ratio > 1.0 - slo.objective
}

/// The length of a window.
pub(super) fn seconds(window: Window) -> TimeDelta {
    TimeDelta::seconds(i64::try_from(window.as_secs()).unwrap_or(i64::MAX / 1000))
}

async fn range(
    room: &Room,
    query: &str,
    (from, until): (DateTime<Utc>, DateTime<Utc>),
    step: f64,
) -> Result<Vec<(f64, f64)>> {
    let asked = room.eyes.prometheus.query_range(query, from, until, step);
    let series: Vec<Series> = within("Prometheus", asked).await?;
    Ok(series.iter().take(1).flat_map(Series::points).collect())
}

/// Notes when the indicator first got worse, once, if it did before now. Looked up, because it begins before any alert.
pub(super) async fn note_symptom(room: &Room, id: Id) -> Result<()> {
    let incident = room.desk.get(id).await?;
    if incident.times.symptom.is_some() || !incident.state.is_open() {
        return Ok(());
    }
    let (clock, now) = (room.config.clock, Utc::now());
    // As far as the windows of a page look back; with gaps as long as the slow page bridges.
    let (back, gap) = (clock.pairs()[1].long, clock.pairs()[1].short);
    let mut earliest: Option<(DateTime<Utc>, What)> = None;
    for slo in of(room.content.slos(), &incident) {
        let query = indicator(slo, clock);
        let points = range(room, &query, (now - seconds(back), now), clock.evaluation().secs()).await?;
        let Some(first) = first_bad(&points, 1.0 - slo.objective, now.timestamp() as f64, gap.secs()) else {
            continue;
        };
        let Some(at) = DateTime::from_timestamp_millis((first * 1000.0).round() as i64) else { continue };
        if earliest.as_ref().is_none_or(|(known, _)| at < *known) {
            earliest = Some((at, symptom(room, slo, query, &points, at)));
        }
    }
    if let Some((_, mut what)) = earliest {
        // Looked at once a second: the alert's own condition may have held a moment before.
        if let What::Noted { happened_at, .. } = &mut what {
            let fired = incident.alerts.iter().map(|member| member.alert.key.starts_at).min();
            *happened_at = fired.map_or(*happened_at, |fired| fired.min(*happened_at));
        }
        room.desk.act(id, Source::System("prometheus".to_owned()), what).await?;
    }
    Ok(())
}

fn symptom(room: &Room, slo: &Slo, query: String, points: &[(f64, f64)], at: DateTime<Utc>) -> What {
    let worst = points.iter().filter(|(time, _)| *time >= at.timestamp() as f64).map(|(_, bad)| *bad);
    let worst = worst.fold(0.0, f64::max);
    let answer = format!(
        "more than {} bad since {}, {} at worst so far",
        percent(1.0 - slo.objective),
        at.format("%H:%M:%S UTC"),
        percent((worst * 10_000.0).round() / 10_000.0)
    );
    let link = Some(links::explore(&room.config.base(), &query));
    What::Noted {
        kind: EntryKind::Symptom,
        happened_at: at,
        text: format!("{} ({}) got worse than its objective allows", slo.title, slo.name),
        evidence: vec![Evidence { query, answer, link }],
        sealed: false,
    }
}

/// When the bad run that lasts until `until` began, all in seconds. Good spells of up to `gap` do not end a run.
fn first_bad(points: &[(f64, f64)], budget: f64, until: f64, gap: f64) -> Option<f64> {
    let mut first: Option<f64> = None;
    for (time, ratio) in points.iter().rev().filter(|(time, _)| *time <= until) {
        if first.unwrap_or(until) - time > gap {
            break;
        }
        if *ratio > budget {
            first = Some(*time);
        }
    }
    first
}

/// The indicator of an incident around it: the worst one, if it is about several. None if it is about no objective or
/// nothing was measured.
///
/// # Errors
/// When Prometheus does not answer.
pub async fn sli_curve(room: &Room, incident: &Incident) -> Result<Option<Curve>> {
    let clock = room.config.clock;
    let from = Measures::of(incident, Viewer::Trainee).started_at;
    let over = incident.times.recovered.or(incident.times.resolved);
    let now = Utc::now();
    let length = (over.unwrap_or(now) - from).max(seconds(clock.base()));
    let pad = length / 4 + seconds(clock.base());
    let window = (from - pad, (over.unwrap_or(now) + pad).min(now));
    let step = ((window.1 - window.0).as_seconds_f64() / POINTS).max(clock.evaluation().secs()).ceil();
    let mut worst: Option<(f64, Curve)> = None;
    for slo in of(room.content.slos(), incident) {
        let points = range(room, &indicator(slo, clock), window, step).await?;
        let bad = points.iter().map(|(_, bad)| bad / (1.0 - slo.objective)).fold(0.0, f64::max);
        if !points.is_empty() && worst.as_ref().is_none_or(|(known, _)| bad > *known) {
            let curve = Curve {
                title: slo.title.clone(),
                objective: slo.objective,
                points: with_gaps(&points, step),
                from,
                until: over,
            };
            worst = Some((bad, curve));
        }
    }
    Ok(worst.map(|(_, curve)| curve))
}

/// Shares of good events; what was not measured is not a line between its neighbours.
fn with_gaps(points: &[(f64, f64)], step: f64) -> Vec<Point> {
    let mut all = Vec::with_capacity(points.len());
    let mut last: Option<f64> = None;
    let mut add = |time: f64, value: f64| {
        let at = DateTime::from_timestamp_millis((time * 1000.0).round() as i64);
        all.extend(at.map(|at| Point { at, value }));
    };
    for (time, bad) in points {
        if let Some(last) = last.filter(|last| time - last > 1.5 * step) {
            add(last + step, f64::NAN);
        }
        add(*time, 1.0 - bad);
        last = Some(*time);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_symptom_begins_with_the_run_that_lasts_until_now() {
        let run = |ratios: &[f64]| -> Vec<(f64, f64)> {
            ratios.iter().enumerate().map(|(at, ratio)| (at as f64, *ratio)).collect()
        };
        let first = |ratios: &[f64], until: f64| first_bad(&run(ratios), 0.01, until, 2.0);
        assert_eq!(first(&[0.0, 0.0, 0.5, 0.5, 0.5], 4.0), Some(2.0));
        assert_eq!(first(&[0.0, 0.2, 0.0, 0.5, 0.5], 4.0), Some(1.0), "a short good spell is part of it");
        assert_eq!(first(&[0.2, 0.0, 0.0, 0.0, 0.5], 4.0), Some(4.0), "an earlier one is another story");
        assert_eq!(first(&[0.0, 0.0, 0.0, 0.5, 0.0], 4.0), Some(3.0), "it is good just now");
        assert_eq!(first(&[0.5, 0.0, 0.0, 0.0, 0.0], 4.0), None, "it was over long before");
        assert_eq!(first(&[0.005; 5], 4.0), None, "within the budget");
    }

    #[test]
    fn a_curve_has_a_gap_where_nothing_was_measured() {
        let points = with_gaps(&[(0.0, 0.0), (1.0, 0.1), (9.0, 0.0)], 1.0);
        let values: Vec<f64> = points.iter().map(|point| point.value).collect();
        assert!(values[2].is_nan());
        assert_eq!((values[0], values[1], values[3], values.len()), (1.0, 0.9, 1.0, 4));
    }
}
