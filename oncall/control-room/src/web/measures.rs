//! How long incidents take: per incident, and over time as number, median, 90th percentile and interval. Never as a mean.

use std::collections::BTreeMap;

use axum::{Router, extract::State, routing::get};
use incident::{
    Id, Measures,
    measures::{Overview, Start},
    statistics::{Summary, WHY_NO_MEAN},
};
use maud::{Markup, html};

use super::{
    Area,
    layout::{Html, Page, Tab, page},
    parts::{clock, duration, empty, or_dash, percent},
    postmortems::tabs,
};
use crate::{access::Visitor, room::Room};

/// The same intervals at each look.
const FIXED: u64 = 1;
/// Incidents that are listed.
const LISTED: usize = 100;

/// Name, what the values say, how one is written, and which it is.
type Row = (&'static str, Option<Summary>, fn(f64) -> String, fn(&Measures) -> Option<f64>);

/// The routes of this module.
pub(super) fn routes() -> Area {
    (Router::new().route("/measures", get(show)), &[("GET", "/measures")])
}

async fn show(State(room): State<Room>, visitor: Visitor) -> Html {
    let all = room.desk.measures(visitor.role);
    let body = html! {
        div.stack {
            (tabs("/measures"))
            h1 { "Measures" }
            p.muted { (WHY_NO_MEAN) }
            @if all.is_empty() {
                (empty("Nothing has been measured yet.", html! { "An incident counts here when it has been resolved." }))
            } @else {
                @for (start, measures) in grouped(&all) { (overview(start, &measures)) }
                (incidents(&all))
            }
        }
    };
    page(&room, &Page { title: "Measures", active: Tab::Postmortems, visitor: &visitor, live: false }, body)
}

/// Times with different beginnings cannot be compared.
fn grouped(all: &[(Id, Measures)]) -> BTreeMap<Start, Vec<Measures>> {
    let mut groups: BTreeMap<Start, Vec<Measures>> = BTreeMap::new();
    for (_, measures) in all {
        groups.entry(measures.start).or_default().push(*measures);
    }
    groups
}

fn overview(start: Start, measures: &[Measures]) -> Markup {
    let overview = Overview::of(measures, FIXED);
    let rows: [Row; 5] = [
        ("Detect", overview.mttd, duration, |one| one.detect),
        ("Acknowledge", overview.mtta, duration, |one| one.acknowledge),
        ("Mitigate", overview.mttm, duration, |one| one.mitigate),
        ("Recover", overview.mttr, duration, |one| one.recover),
        ("Error budget", overview.budget, percent, |one| one.budget),
    ];
    html! {
        section.card.scroll {
            h2 { "Counted from when " (start.describe()) }
            table.table {
                thead {
                    tr {
                        th { "Until" } th.num { "Incidents" } th.num { "Median" } th.num { "90th percentile" }
                        th.num title="Where the median of such incidents probably is: 95 % bootstrap interval" { "95 % interval of the median" }
                        th title="From the first to the last incident, and from 0 to the largest value" { "Each incident over time" }
                    }
                }
                tbody {
                    @for (name, summary, show, of) in rows {
                        tr {
                            td { (name) }
                            td.num { (summary.map_or(0, |summary| summary.n)) }
                            td.num.strong { (or_dash(summary.map(|summary| summary.median), show)) }
                            td.num { (or_dash(summary.map(|summary| summary.p90), show)) }
                            td.num {
                                @match summary {
                                    Some(summary) => { (show(summary.interval.0)) " to " (show(summary.interval.1)) },
                                    None => { "–" },
                                }
                            }
                            td { (dots(name, measures, of, show)) }
                        }
                    }
                }
            }
        }
    }
}

/// One dot per incident: from left to right over time, from 0 to the largest value. It shows whether there is a trend.
fn dots(
    name: &str,
    measures: &[Measures],
    of: fn(&Measures) -> Option<f64>,
    show: fn(f64) -> String,
) -> Markup {
    let mut points: Vec<(i64, f64)> =
        measures.iter().filter_map(|one| Some((one.started_at.timestamp(), of(one)?))).collect();
    points.sort_by_key(|(at, _)| *at);
    let most = points.iter().map(|(_, value)| *value).fold(0.0, f64::max);
    let ends = points.first().zip(points.last());
    let across = |at: i64| {
        let share = ends
            .filter(|(first, last)| first.0 < last.0)
            .map_or(0.5, |(first, last)| (at - first.0) as f64 / (last.0 - first.0) as f64);
        4.0 + share * 152.0
    };
    let up = |value: f64| if most > 0.0 { 36.0 - value / most * 32.0 } else { 36.0 };
    let words = ends.map_or_else(
        || format!("{name}: nothing was measured"),
        |(first, last)| {
            format!("{name}: first {}, last {}, most {}", show(first.1), show(last.1), show(most))
        },
    );
    html! {
        svg.dots viewBox="0 0 160 40" width="160" height="40" role="img" aria-label=(words) {
            title { (words) }
            line x1="4" x2="156" y1="36" y2="36" {}
            @for (at, value) in &points {
                circle cx=(format!("{:.1}", across(*at))) cy=(format!("{:.1}", up(*value))) r="3" {}
            }
        }
    }
}

fn incidents(all: &[(Id, Measures)]) -> Markup {
    html! {
        section.card.scroll {
            h2 { "Each incident" }
            table.table {
                thead {
                    tr {
                        th { "Incident" } th { "Counted from" } th.num { "Detect" } th.num { "Acknowledge" } th.num { "Mitigate" }
                        th.num { "Recover" } th.num { "Budget" }
                    }
                }
                tbody {
                    @for (id, one) in all.iter().take(LISTED) {
                        tr {
                            td { a.mono href={ "/incidents/" (id) } data-item { (id) } }
                            td.muted { (one.start.describe()) ", " (clock(one.started_at)) }
                            td.num { (or_dash(one.detect, duration)) }
                            td.num { (or_dash(one.acknowledge, duration)) }
                            td.num { (or_dash(one.mitigate, duration)) }
                            td.num { (or_dash(one.recover, duration)) }
                            td.num { (or_dash(one.budget, percent)) }
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measures(start: Start, recover: f64) -> Measures {
        Measures {
            start,
            started_at: "2026-06-01T12:00:00Z".parse().unwrap(),
            detect: None,
            acknowledge: Some(30.0),
            mitigate: None,
            recover: Some(recover),
            budget: Some(0.2),
        }
    }

    #[test]
    fn times_that_begin_at_different_things_are_never_in_one_row() {
        let all = [(Id(1), measures(Start::Fault, 60.0)), (Id(2), measures(Start::Alert, 90.0))];
        let groups = grouped(&all);
        assert_eq!(groups.len(), 2);
        let shown = overview(Start::Fault, &groups[&Start::Fault]).into_string();
        assert!(
            shown.contains("the fault began")
                && shown.contains("1\u{a0}min")
                && !shown.contains("1\u{a0}min 30\u{a0}s"),
            "{shown}"
        );
    }

    #[test]
    fn each_incident_is_a_dot_at_its_time() {
        let at = |text: &str, recover| Measures {
            started_at: text.parse().unwrap(),
            ..measures(Start::Fault, recover)
        };
        let newest_first = [
            at("2026-06-03T12:00:00Z", 30.0),
            at("2026-06-02T12:00:00Z", 60.0),
            at("2026-06-01T12:00:00Z", 120.0),
        ];
        let shown = dots("Recover", &newest_first, |one| one.recover, duration).into_string();
        for dot in ["cx=\"4.0\" cy=\"4.0\"", "cx=\"80.0\" cy=\"20.0\"", "cx=\"156.0\" cy=\"28.0\""] {
            assert!(shown.contains(dot), "no {dot} in {shown}");
        }
        assert!(shown.contains("first 2\u{a0}min, last 30\u{a0}s, most 2\u{a0}min"), "{shown}");
        assert!(
            dots("Detect", &newest_first, |one| one.detect, duration)
                .into_string()
                .contains("nothing was measured")
        );
    }

    #[test]
    fn what_was_not_measured_is_a_dash_and_no_mean_is_shown() {
        let shown = overview(Start::Alert, &[measures(Start::Alert, 90.0)]).into_string();
        assert!(
            shown.contains('–') && shown.contains("Median") && !shown.to_lowercase().contains("mean"),
            "{shown}"
        );
    }
}
