//! Every fault that a service can have: one click with a time, or a page with all parameters.

use maud::{Markup, html};
use switchboard::FaultPoint;

use super::{targets, units::Unit};
use crate::{
    access::Visitor,
    room::Room,
    web::parts::{Tone, badge, csrf, empty},
};

/// How long a fault may last that is switched on with one click.
pub(super) const TIMES: [&str; 6] = ["30s", "1m", "2m", "5m", "10m", "30m"];
const USUAL: &str = "5m";

/// Groups by how the names begin, in request-path order; the rest are resources of the process.
static GROUPS: [(&str, &[&str]); 5] = [
    ("Requests", &["risky", "http-", "upstream-", "wrong-total", "lost-update"]),
    ("Database", &["db-"]),
    ("Cache", &["cache-"]),
    ("Messages", &["publish-", "queue-", "poison-", "consumer-", "rebalance-", "commit-"]),
    ("Telemetry", &["metrics-", "trace-", "log-drop", "cardinality-"]),
];
const REST: &str = "Process";

fn group(name: &str) -> &'static str {
    let mut groups = GROUPS.iter();
    let found = groups.find(|(_, beginnings)| beginnings.iter().any(|beginning| name.starts_with(beginning)));
    found.map_or(REST, |(title, _)| *title)
}

pub(super) fn draw(
    room: &Room,
    visitor: &Visitor,
    units: &[Unit],
    services: &[&str],
    service: &str,
) -> Markup {
    // All replicas of a service have the same faults.
    let points =
        units.iter().filter(|unit| unit.service == service).find_map(|unit| unit.faults.as_ref().ok());
    let on = |name: &str| {
        let of =
            units.iter().filter(|unit| unit.service == service).flat_map(|unit| unit.faults.iter().flatten());
        of.filter(|point| point.name == name && point.active.is_some()).count()
    };
    let titles = GROUPS.iter().map(|(title, _)| *title).chain([REST]);
    html! {
        section.stack.tight aria-labelledby="catalogue" {
            div.toolbar {
                h2 #catalogue { "Faults of " (service) }
                nav aria-label="Service" { ul.tabs {
                    @for name in services {
                        li { a href={ "/faults?service=" (name) "#catalogue" } aria-current=[(*name == service).then_some("true")] { (name) } }
                    }
                } }
            }
            @match points {
                None => (empty("The faults of this service are not known.", html! { "None of its replicas answers." })),
                Some(points) => div.faults {
                    @for title in titles {
                        @let of = points.iter().filter(|point| group(&point.name) == title).collect::<Vec<&FaultPoint>>();
                        @if !of.is_empty() {
                            div.card {
                                h3 { (title) }
                                ul { @for point in of { (entry(room, visitor, units, service, point, on(&point.name))) } }
                            }
                        }
                    }
                },
            }
        }
    }
}

fn entry(
    room: &Room,
    visitor: &Visitor,
    units: &[Unit],
    service: &str,
    point: &FaultPoint,
    on: usize,
) -> Markup {
    let targets = targets(units, service);
    let id = format!("{service}-{}", point.name);
    html! {
        li.fault {
            div {
                a.strong href={ "/faults/" (service) "/" (point.name) } { (point.name) } " "
                @if on > 0 { (badge(Tone::Warn, &format!("on in {on}"))) }
                p.muted { (point.summary) }
            }
            form.inline method="post" action="/faults/set" {
                (csrf(room, visitor))
                input type="hidden" name="service" value=(service);
                input type="hidden" name="fault" value=(point.name);
                @if let [(only, _)] = targets.as_slice() { input type="hidden" name="target" value=(only); }
                @else {
                    label.sr for={ (id) "-where" } { "Where" }
                    select id={ (id) "-where" } name="target" { @for (value, text) in &targets { option value=(value) { (text) } } }
                }
                label.sr for={ (id) "-ttl" } { "For how long" }
                select id={ (id) "-ttl" } name="p-ttl" { @for time in TIMES { option value=(time) selected[time == USUAL] { (time) } } }
                button.button.small type="submit" { "Switch on" span.sr { " " (point.name) } }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_of_the_catalogue_has_a_group() {
        for (name, title) in [
            ("http-error", "Requests"),
            ("db-lock", "Database"),
            ("cache-down", "Cache"),
            ("consumer-pause", "Messages"),
            ("log-drop", "Telemetry"),
            ("log-flood", "Process"),
            ("cpu-burn", "Process"),
        ] {
            assert_eq!(group(name), title, "{name}");
        }
    }
}
