//! What the admin ports, the list of changes, the trace store and the logs know at a first look.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use futures::future::join_all;
use incident::{Evidence, Incident, What};
use observe::{
    logs::{Line, access::Access},
    traces::{Search, Trace},
};

use super::{
    Found,
    evidence::{found, list, ranked, short},
    scope::Scope,
};
use crate::{
    changes::Change,
    error::Result,
    eyes::{Admin, Readiness, Wanted, links, within},
    room::Room,
};

/// Services whose traces are searched, traces that are read of each, and those that are shown.
const TRACES: (usize, usize, usize) = (3, 100, 3);
/// Lines that are read.
const LINES: usize = 2000;
/// Changes that are named.
const CHANGES: usize = 5;

/// Which services are not ready, and which were restarted.
pub(super) async fn readiness(room: &Room, scope: &Scope) -> Result<Found> {
    let near: Vec<&Admin> =
        room.eyes.admins.iter().filter(|admin| scope.covers(&admin.instance.service)).collect();
    let query = format!(
        "sum by (service) (changes(process_start_time_seconds{{{}, job!=\"application-metrics\"}}[15m])) > 0",
        scope.nearby()
    );
    let (states, restarts) = tokio::join!(
        join_all(near.iter().map(|admin| admin.readiness())),
        within("Prometheus", room.eyes.prometheus.query(&query)),
    );
    let said = near.iter().zip(&states).filter_map(|(admin, state)| match state {
        Readiness::Ready => None,
        Readiness::NotReady(why) => Some(format!("{} is not ready: {}", admin.instance.name, short(why))),
        Readiness::Gone(why) => Some(format!("{} does not answer: {}", admin.instance.name, short(why))),
    });
    let mut problems: Vec<String> = said.collect();
    let (answer, calm) = match restarts {
        Ok(samples) => {
            problems.extend(ranked(&samples, &["service"]).into_iter().filter_map(again));
            let up = states.iter().filter(|state| **state == Readiness::Ready).count();
            (format!("{up} of {} instances are ready", near.len()), "no restarts within 15 min")
        }
        Err(error) => (format!("restarts are not known: {error}"), "restarts are not known"),
    };
    let text = match problems.as_slice() {
        [] => format!("{}; {calm}", ready(&near)),
        problems => problems.join("; "),
    };
    Ok(found(scope, query, text, answer))
}

/// That a service was restarted; nothing if it was not.
fn again((service, times): (String, f64)) -> Option<String> {
    let times = match times.round() {
        none if none < 1.0 => return None,
        1.0 => "once".to_owned(),
        times => format!("{times} times"),
    };
    Some(format!("{service} was started again {times}"))
}

/// That all of these are ready.
fn ready(admins: &[&Admin]) -> String {
    let names: Vec<String> = admins.iter().map(|admin| admin.instance.name.clone()).collect();
    match names.as_slice() {
        [] => "no instance is known".to_owned(),
        [one] => format!("{one} is ready"),
        names => format!("{} are ready", list(names)),
    }
}

/// The newest changes nearby, in the hour before and since, on the lab's clock.
fn nearby(room: &Room, scope: &Scope) -> impl Iterator<Item = Change> {
    let near = move |change: &Change| change.service.as_ref().is_none_or(|service| scope.covers(service));
    room.changes.since(scope.since).into_iter().filter(near)
}

/// Those before the incident opened, as entries at their times: one of them is often how it began. The later ones are noted when
/// they happen.
pub(super) fn earlier(room: &Room, scope: &Scope, incident: &Incident) -> Vec<What> {
    let is_noted = |change: &Change| {
        incident.timeline.iter().any(|entry| entry.at == change.at && entry.text.starts_with(&change.text))
    };
    let before = nearby(room, scope).filter(|change| change.at < incident.opened_at).take(CHANGES);
    let entry = |change: Change| What::Noted {
        kind: change.entry_kind(),
        happened_at: change.at,
        text: format!("{} ({} by {})", change.text, change.kind, change.by),
        evidence: Vec::new(),
        sealed: false,
    };
    before.filter(|change| !is_noted(change)).map(entry).collect()
}

/// What changed in the hour before, on the lab's clock.
pub(super) async fn changes(room: &Room, scope: &Scope) -> Result<Found> {
    let lines: Vec<String> = nearby(room, scope)
        .take(CHANGES)
        .map(|change| format!("{} {}: {}", change.at.format("%H:%M:%S"), change.kind, short(&change.text)))
        .collect();
    let since = scope.since.format("%H:%M:%S UTC");
    let text = match lines.as_slice() {
        [] => format!("nothing is known to have changed since {since}"),
        lines => format!("changed since {since}: {}", lines.join("; ")),
    };
    let since = scope.since.to_rfc3339_opts(SecondsFormat::Secs, true);
    let query = format!("changes since={since} service={}", scope.around.join(","));
    let answer = if lines.is_empty() { "nothing".to_owned() } else { lines.join("; ") };
    let link = Some(links::changes(&scope.base, &since));
    Ok(Found { text, evidence: vec![Evidence { query, answer, link }] })
}

/// The slowest traces of the affected services since the start.
pub(super) async fn slowest_traces(room: &Room, scope: &Scope) -> Result<Found> {
    let (services, limit, shown) = TRACES;
    let search = |service: &String| Search {
        service: service.clone(),
        min_duration: None,
        error: false,
        limit,
        window: (scope.started - TimeDelta::seconds(30), Utc::now()),
    };
    let searches: Vec<Search> = scope.services.iter().take(services).map(search).collect();
    let asked = searches.iter().map(|search| within("the trace store", room.eyes.traces.search(search)));
    let mut traces: Vec<Trace> = Vec::new();
    for answer in join_all(asked).await {
        traces.extend(answer?.traces);
    }
    traces.sort_by_key(|trace| std::cmp::Reverse(trace.length()));
    traces.dedup_by(|one, other| one.id == other.id);
    let evidence: Vec<Evidence> = traces.iter().take(shown).map(|trace| shown_trace(scope, trace)).collect();
    let text = match evidence.first() {
        Some(slowest) => format!("slowest of {} traces: {}", traces.len(), slowest.answer),
        None => format!("no traces of {} since the start", list(&scope.services)),
    };
    Ok(Found { text, evidence })
}

fn shown_trace(scope: &Scope, trace: &Trace) -> Evidence {
    let failed = trace.spans.iter().filter(|span| span.failed()).max_by_key(|span| span.start_time);
    let failed = failed.map_or_else(String::new, |span| {
        format!(", failed in {}: {}", trace.service(span), short(&span.operation_name))
    });
    let root =
        trace.tree().first().map(|(at, _)| short(&trace.spans[*at].operation_name)).unwrap_or_default();
    Evidence {
        query: format!("trace {}", trace.id),
        answer: format!("{root} took {:.0} ms{failed}", trace.length() as f64 / 1000.0),
        link: Some(links::trace(&scope.base, &trace.id)),
    }
}

/// The first and the most frequent lines at ERROR.
pub(super) async fn error_lines(room: &Room, scope: &Scope) -> Result<Found> {
    let wanted = Wanted {
        services: scope.around.clone(),
        level: Some("ERROR".to_owned()),
        text: None,
        trace: None,
        since: scope.started - TimeDelta::seconds(30),
        limit: LINES,
    };
    let mut lines = room.eyes.logs.lines(&wanted).await?;
    // Requests are counted in metrics, and one route fails by design.
    lines.retain(|line| Access::of(line).is_none() && !line.text.contains("/risky"));
    let query = format!("level=ERROR service={} since={}", scope.around.join(","), time(wanted.since));
    let service = scope.services.first().map_or("", String::as_str);
    let link = Some(links::logs(&scope.base, service, "ERROR"));
    let (text, answer) = match (lines.first(), most_frequent(&lines)) {
        (Some(first), Some((message, count))) => (
            match lines.len() {
                1 => format!("1 error line: “{message}”"),
                all => format!("{all} error lines, {count} of them “{message}”"),
            },
            format!("first, {} at {}: {}", first.part, time(first.time), short(&first.message)),
        ),
        _ => (format!("{} logged no error", list(&scope.around)), "nothing".to_owned()),
    };
    Ok(Found { text, evidence: vec![Evidence { query, answer, link }] })
}

fn time(at: DateTime<Utc>) -> String {
    at.format("%H:%M:%S%.3f").to_string()
}

/// Lines that differ only in their numbers and ids are one kind.
fn most_frequent(lines: &[Line]) -> Option<(String, usize)> {
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    for line in lines {
        *kinds.entry(kind(&line.part, &line.message)).or_default() += 1;
    }
    kinds.into_iter().max_by_key(|(_, count)| *count)
}

fn kind(part: &str, message: &str) -> String {
    let word = |word: &str| {
        let id = word.chars().any(|c| c.is_ascii_digit());
        if id { "…".to_owned() } else { word.to_owned() }
    };
    let words: Vec<String> = short(message).split_whitespace().map(word).collect();
    format!("{part}: {}", words.join(" "))
}

#[cfg(test)]
mod tests {
    use observe::logs::parse;

    use super::*;

    #[test]
    fn who_was_not_started_again_is_not_named() {
        let said = |times| again(("edge".to_owned(), times));
        assert_eq!(said(0.0), None);
        assert_eq!(said(1.0).as_deref(), Some("edge was started again once"));
        assert_eq!(said(2.0).as_deref(), Some("edge was started again 2 times"));
    }

    #[test]
    fn lines_that_differ_in_an_id_are_one_kind() {
        let line = |message: &str| parse("order-api", message, DateTime::UNIX_EPOCH);
        let lines = [line("order 17 failed"), line("no database"), line("order 18 failed")];
        assert_eq!(most_frequent(&lines), Some(("order-api: order … failed".to_owned(), 2)));
        assert_eq!(most_frequent(&[]), None);
    }
}
