//! What happened, as lines on every time axis: incidents, changes, and the annotations of the board.

use std::collections::BTreeSet;

use boards::{
    data::{Series, legend},
    draw::Mark,
    model::{Annotation, Colour},
    range::{seconds, time},
};
use futures::future::join_all;

use super::{ask::Asking, sources::plain};
use crate::{changes::Change, web::parts::safe_link};

/// Most marks of one kind: more would hide the curves.
const MOST: usize = 40;
/// Incidents that are looked at, newest first.
const INCIDENTS: usize = 100;
/// Parts of the time range at which annotations are asked for.
const PARTS: u32 = 180;

/// The marks of the time range.
pub(super) async fn all(asking: &Asking<'_>) -> Vec<Mark> {
    let enabled = asking.board.annotations.iter().filter(|annotation| annotation.enabled);
    let mut marks: Vec<Mark> = join_all(enabled.map(|each| annotated(asking, each))).await.concat();
    marks.extend(incidents(asking));
    marks.extend(changes(asking));
    marks
}

fn incidents(asking: &Asking<'_>) -> Vec<Mark> {
    let range = &asking.scope.range;
    let all = asking.room.desk.recent(INCIDENTS);
    let within =
        all.iter().filter(|incident| incident.opened_at >= range.from && incident.opened_at <= range.until);
    let mark = |incident: &std::sync::Arc<incident::Incident>| Mark {
        at: seconds(incident.opened_at),
        text: format!("{} {}: {}", incident.id, incident.severity, incident.title),
        url: Some(format!("/incidents/{}", incident.id)),
        colour: Colour::Purple,
    };
    within.map(mark).take(MOST).collect()
}

/// Without restarts: the boards have an annotation for those.
fn changes(asking: &Asking<'_>) -> Vec<Mark> {
    let range = &asking.scope.range;
    let all = asking.room.changes.since(range.from);
    let wanted = all.into_iter().filter(|change| change.kind != "restart" && change.at <= range.until);
    let mark = |change: Change| Mark {
        at: seconds(change.at),
        text: match &change.service {
            Some(service) => format!("{service}: {} ({}, {})", change.text, change.kind, change.by),
            None => format!("{} ({}, {})", change.text, change.kind, change.by),
        },
        url: change.link.as_deref().and_then(safe_link).map(str::to_owned),
        colour: Colour::Blue,
    };
    wanted.map(mark).take(MOST).collect()
}

/// The marks of an annotation; none if Prometheus does not answer, because every panel says so already.
async fn annotated(asking: &Asking<'_>, annotation: &Annotation) -> Vec<Mark> {
    let step = asking.scope.range.step(PARTS, asking.scope.scrape);
    let span = asking.scope.range.aligned(step);
    let query = plain(&annotation.expr);
    let expr = asking.scope.expr(&query, step);
    let found = asking.sources.range((&query, 0), &expr, span, step).await.unwrap_or_default();
    let mut marks: Vec<Mark> = found.iter().flat_map(|series| of(annotation, series, step)).collect();
    marks.sort_by(|one, other| other.at.total_cmp(&one.at));
    marks.truncate(MOST);
    marks
}

/// One mark for each start: a time that the value names, or a run of samples without a gap.
fn of(annotation: &Annotation, series: &Series, step: f64) -> Vec<Mark> {
    let mut times: Vec<f64> = Vec::new();
    if annotation.value_is_time {
        let named: BTreeSet<i64> = series.points.iter().map(|(_, value)| value.round() as i64).collect();
        times.extend(named.into_iter().map(|milliseconds| milliseconds as f64 / 1000.0));
    } else {
        let runs = series.points.chunk_by(|one, other| other.0 - one.0 <= step * 1.5);
        times.extend(runs.filter_map(|run| run.first()).map(|(at, _)| *at));
    }
    let words = |template: &str| {
        if template.is_empty() { String::new() } else { legend(template, &series.labels) }
    };
    let text = format!("{} {}", words(&annotation.title), words(&annotation.text));
    let mark = |at: f64| Mark {
        at,
        text: format!("{} at {}", text.trim(), time(at).format("%H:%M:%S")),
        url: None,
        colour: annotation.colour,
    };
    times.into_iter().map(mark).collect()
}

#[cfg(test)]
mod tests {
    use boards::data::Labels;

    use super::*;

    fn annotation(value_is_time: bool) -> Annotation {
        Annotation {
            name: "x".to_owned(),
            colour: Colour::Red,
            expr: "up".to_owned(),
            title: "{{job}} started".to_owned(),
            text: "{{version}}".to_owned(),
            value_is_time,
            enabled: true,
        }
    }

    fn series(points: &[(f64, f64)]) -> Series {
        let labels = Labels::from([("job".to_owned(), "order-api".to_owned())]);
        Series { name: String::new(), query: 0, labels, points: points.to_vec() }
    }

    #[test]
    fn a_start_is_marked_once_at_the_time_that_its_value_names() {
        let found = of(&annotation(true), &series(&[(10.0, 5000.0), (15.0, 5000.0), (20.0, 18_000.0)]), 5.0);
        let times: Vec<f64> = found.iter().map(|mark| mark.at).collect();
        assert_eq!(times, [5.0, 18.0]);
        assert_eq!(found[0].text, "order-api started at 00:00:05");
    }

    #[test]
    fn an_alert_is_marked_each_time_it_begins_to_fire() {
        let found = of(&annotation(false), &series(&[(10.0, 1.0), (15.0, 1.0), (40.0, 1.0)]), 5.0);
        let times: Vec<f64> = found.iter().map(|mark| mark.at).collect();
        assert_eq!(times, [10.0, 40.0]);
    }
}
