//! The services in the order of the request path, each with its rate, errors, latency and readiness. Columns are steps of the path;
//! lines are calls (`wires`). On a narrow screen it is a list that says who calls whom.

mod wires;

use maud::{Markup, html};
use observe::prometheus::Alert;

use self::wires::{HALF_ROW, Wires};
use super::parts::{Tone, badge, or_dash, percent, rate, seconds, spark};
use crate::{
    config::Call,
    watch::{Seen, ServiceSeen},
};

/// Columns that the stylesheet has.
const MOST_COLUMNS: usize = 8;
/// Parts without a dashboard of their own, and the one that shows them.
const SHOWN_ON: [(&str, &str); 6] = [
    ("redis", "data-stores"),
    ("postgres", "data-stores"),
    ("kafka", "orders-pipeline"),
    ("redpanda", "orders-pipeline"),
    ("notifier", "orders-pipeline"),
    ("probe", "overview"),
];

/// Where a service is drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place<'c> {
    name: &'c str,
    /// Counted from 0.
    column: usize,
    /// In half rows, counted from 1: a service is two of them high, so that a column can be centred.
    row: usize,
}

/// The places, and the size in columns and rows.
fn places<'c>(calls: &'c [Call], others: impl Iterator<Item = &'c str>) -> (Vec<Place<'c>>, usize, usize) {
    let mut names: Vec<(&str, usize)> = Vec::new();
    for name in calls.iter().flat_map(|call| [call.caller.as_str(), call.callee.as_str()]).chain(others) {
        if !names.iter().any(|known| known.0 == name) {
            names.push((name, 0));
        }
    }
    let column = |names: &[(&str, usize)], name: &str| {
        names.iter().find(|known| known.0 == name).map_or(0, |known| known.1)
    };
    // The longest path decides. As many rounds as there are columns are enough, and end even where calls form a circle.
    for _ in 0..MOST_COLUMNS {
        for call in calls {
            let next = (column(&names, &call.caller) + 1).min(MOST_COLUMNS - 1);
            if let Some(callee) = names.iter_mut().find(|known| known.0 == call.callee) {
                callee.1 = callee.1.max(next);
            }
        }
    }
    let columns = names.iter().map(|known| known.1 + 1).max().unwrap_or(0);
    let height = |column: usize| names.iter().filter(|known| known.1 == column).count();
    let rows = (0..columns).map(height).max().unwrap_or(0);
    let mut filled = vec![0; columns];
    let places = names.iter().map(|&(name, column)| {
        let row = rows - height(column) + 2 * filled[column] + 1;
        filled[column] += 1;
        Place { name, column, row }
    });
    (places.collect(), columns, rows)
}

/// The dashboard about a part; none for what only makes requests.
fn board<'n>(name: &'n str, boards: &[String]) -> Option<&'n str> {
    let known = |wanted: &str| boards.iter().any(|board| board == wanted);
    let shared = || SHOWN_ON.iter().find(|(part, _)| name.contains(part)).map(|(_, board)| *board);
    Some(name).filter(|name| known(name)).or_else(|| shared().filter(|board| known(board)))
}

/// The map, with links to the dashboards that there are; empty if nothing is known.
pub(super) fn map(calls: &[Call], seen: &Seen, boards: &[String]) -> Markup {
    let (places, columns, rows) = places(calls, seen.services.iter().map(|service| service.name.as_str()));
    let wires = Wires::of(calls, &places, (columns, rows));
    let height = HALF_ROW * (2 * rows + usize::from(wires.has_lanes()));
    html! {
        div.map-box {
            div class={ "map n" (columns) } {
                svg viewBox={ "0 0 " (columns * 100) " " (height) } preserveAspectRatio="none" aria-hidden="true" {
                    @for path in wires.paths() { path d=(path) vector-effect="non-scaling-stroke" {} }
                }
                @for place in &places {
                    (node(place, calls, seen, boards))
                }
                // Room below all services, where no service is.
                @if wires.has_lanes() { div.lanes {} }
            }
        }
    }
}

fn node(place: &Place<'_>, calls: &[Call], seen: &Seen, boards: &[String]) -> Markup {
    let service = seen.services.iter().find(|service| service.name == place.name);
    let (tone, word) = health(place.name, service, &seen.alerts);
    let callees: Vec<&str> =
        calls.iter().filter(|call| call.caller == place.name).map(|call| call.callee.as_str()).collect();
    html! {
        article class={ "node " (tone.class()) " c" (place.column + 1) " r" (place.row) } {
            header {
                @match board(place.name, boards) {
                    Some(board) => { a.name href={ "/d/" (board) } { (place.name) } },
                    None => { span.name { (place.name) } },
                }
                @if let Some(word) = &word { (badge(tone, word)) }
            }
            @if let Some(service) = service {
                (values(service))
                @if !service.spark.is_empty() {
                    (spark(&service.spark, &format!("rate of {} in the last 15 minutes", service.name)))
                }
            }
            @if !callees.is_empty() { p.calls { "calls " (callees.join(", ")) } }
        }
    }
}

fn values(service: &ServiceSeen) -> Markup {
    let measured = [service.rate, service.errors, service.p95, service.lag];
    html! {
        div.values {
            @if measured.iter().all(Option::is_none) {
                span.muted { "nothing measured" }
            } @else {
                span { (or_dash(service.rate, rate)) }
                span { (or_dash(service.errors, percent)) " " span.muted { "errors" } }
                span { span.muted { "p95 " } (or_dash(service.p95, seconds)) }
                @if let Some(lag) = service.lag { span { span.muted { "lag " } (format!("{lag:.0}")) } }
            }
        }
    }
}

/// How a service is, in a tone and a word: what fires comes first, then what is not ready.
fn health(name: &str, service: Option<&ServiceSeen>, alerts: &[Alert]) -> (Tone, Option<String>) {
    let count = |state: &str| {
        let about = |alert: &&Alert| {
            alert.state == state && alert.labels.get("service").is_some_and(|service| service == name)
        };
        alerts.iter().filter(about).count()
    };
    let (firing, pending) = (count("firing"), count("pending"));
    if firing > 0 {
        return (
            Tone::Bad,
            Some(if firing == 1 { "1 alert".to_owned() } else { format!("{firing} alerts") }),
        );
    }
    let Some(service) = service else { return (Tone::Quiet, None) };
    let all = service.instances.len();
    let ready = service.instances.iter().filter(|one| one.up && one.ready != Some(false)).count();
    if ready < all {
        return (Tone::Bad, Some(format!("{ready} of {all} ready")));
    }
    if pending > 0 {
        return (Tone::Warn, Some("alert pending".to_owned()));
    }
    if all == 0 && service.rate.is_none() {
        return (Tone::Quiet, Some("no data".to_owned()));
    }
    (Tone::Good, Some(if all == 0 { "measured".to_owned() } else { format!("{ready} of {all} ready") }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calls(pairs: &[&str]) -> Vec<Call> {
        pairs.iter().map(|pair| pair.parse().unwrap()).collect()
    }

    fn columns(calls: &[Call]) -> Vec<(&str, usize, usize)> {
        places(calls, std::iter::empty())
            .0
            .into_iter()
            .map(|place| (place.name, place.column, place.row))
            .collect()
    }

    #[test]
    fn the_request_path_goes_from_left_to_right_and_columns_are_centred() {
        let calls =
            calls(&["load>order-api", "order-api>user-service", "order-api>broker", "broker>order-worker"]);
        assert_eq!(
            columns(&calls),
            [
                ("load", 0, 2),
                ("order-api", 1, 2),
                ("user-service", 2, 1),
                ("broker", 2, 3),
                ("order-worker", 3, 2)
            ]
        );
    }

    #[test]
    fn the_longest_path_decides_and_a_circle_ends() {
        let path = calls(&["a>c", "a>b", "b>c"]);
        assert!(columns(&path).contains(&("c", 2, 1)), "{:?}", columns(&path));
        let circle = calls(&["a>b", "b>a"]);
        assert!(columns(&circle).iter().all(|place| place.1 < MOST_COLUMNS));
    }

    #[test]
    fn a_name_leads_to_a_dashboard_that_exists_or_nowhere() {
        let boards = crate::content::Content::open(None).unwrap().board_names();
        for (name, expected) in [
            ("order-api", Some("order-api")),
            ("redis", Some("data-stores")),
            ("orders-postgres", Some("data-stores")),
            ("lab-kafka", Some("orders-pipeline")),
            ("notifier", Some("orders-pipeline")),
            ("probe", Some("overview")),
            ("load", None),
        ] {
            assert_eq!(board(name, &boards), expected, "{name}");
        }
        for (_, shown) in SHOWN_ON {
            assert!(boards.iter().any(|board| board == shown), "{shown}");
        }
        assert_eq!(board("redis", &[]), None);
    }

    #[test]
    fn a_service_that_nobody_calls_is_drawn_too() {
        let (places, columns, rows) = places(&[], ["order-api", "user-service"].into_iter());
        assert_eq!((places.len(), columns, rows), (2, 1, 2));
        let (places, columns, rows) = super::places(&[], std::iter::empty());
        assert_eq!((places.len(), columns, rows), (0, 0, 0));
    }
}
