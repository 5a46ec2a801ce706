//! What `lab up` prints when the lab is ready, or has failed.

use std::{collections::BTreeMap, time::Duration};

use slo::Clock;
use supervisor::{
    logfile,
    state::{LabState, Phase},
};

use crate::{
    home::CLOCK,
    parts::{cloud::CLOUD, control_room::CONTROL_ROOM, edge::EDGE, objects::OBJECTS, opensearch::OPENSEARCH},
    terminal::say,
};

/// How many lines of a failing part's log are shown.
pub(super) const TAIL: usize = 20;

/// Where everything is, and what to do next.
pub(super) fn welcome(state: &LabState, detached: bool) {
    let seconds = Duration::from_millis(state.ready_ms.unwrap_or_default()).as_secs_f64();
    say(format!("ready in {seconds:.2} s"));
    let url = |name| state.port(name).map(|port| format!("http://localhost:{port}"));
    // First the page from which everything else is found.
    if let Some(url) = url(CONTROL_ROOM) {
        say(format!("  {:13} {url}", "control room"));
    }
    // Without Grafana, the control room has its port.
    let grafana = if state.part("grafana").is_some() { "Grafana" } else { "Dashboards" };
    let places: BTreeMap<&str, Option<String>> = BTreeMap::from([
        ("shop", url(EDGE)),
        ("order-api", url("order-api")),
        ("user-service", url("user-service")),
        ("Prometheus", url("prometheus")),
        ("Traces", url("traces-ui")),
        (grafana, url("grafana")),
        ("OpenSearch", url(OPENSEARCH)),
        ("Objects", url(OBJECTS)),
        ("Cloud", url(CLOUD)),
    ]);
    for (name, url) in places {
        if let Some(url) = url {
            say(format!("  {name:13} {url}"));
        }
    }
    if state.labels.get(CLOCK).is_some_and(|clock| clock == Clock::Production.as_str()) {
        say("  clock         production: pages after minutes to hours, budgets of 30 days");
    }
    say("break something: lab break order-api http-error rate=0.2 ttl=5m");
    say("be paged:        lab pages --follow");
    say(format!("stop:            {}", if detached { "lab down" } else { "Ctrl-C" }));
}

/// The last lines of the part that failed.
pub(super) fn report_failure(state: &LabState) {
    let Phase::Failed { part, .. } = &state.phase else { return };
    let Some(part) = state.part(part) else { return };
    say(format!("\nlast lines of {}:", part.log.display()));
    for line in logfile::tail(&part.log, TAIL) {
        say(format!("  {line}"));
    }
}
