//! edge: what comes from outside, on its way to the services.

use super::shared::{
    ERRORS, LATENCY, NEVER, USED, access_row, alerts, logs_row, of, panel, red_row, runtime_row,
};
use crate::{
    link::{board as to, slow_traces_of, traces_of},
    model::{Board, Kind, Panel, Row, Unit, row},
    query::{max, quantile, query, rates, sel, share, sum},
};

const NAME: &str = "edge";
/// What the alert EdgeErrors counts.
const FAILED: &str = r#"status=~"500|502|504""#;

pub(super) fn board() -> Board {
    Board {
        uid: NAME,
        title: "Edge",
        description: "In front of the services: routes, replicas, limits, and the firewall. Read from top to bottom: first what the edge does wrong itself, then what it passes on, then the rules.",
        jobs: r#"up{service="edge", job!="application-metrics"}"#,
        variables: &[],
        rows: vec![
            front_row(),
            red_row(NAME),
            upstream_row(),
            replica_row(),
            firewall_row(),
            saturation_row(),
            logs_row(NAME),
            access_row(NAME),
            runtime_row(NAME),
        ],
    }
}

/// Share of the requests that fail here, and not in a service.
fn own_failures() -> String {
    let of = of(NAME);
    let failed = format!("{of}, {FAILED}");
    format!(
        "(\n  {}\n  -\n  {}\n)\n/\n{}",
        rates("", "http_requests_total", &failed),
        rates("", "edge_requests_total", &failed),
        rates("", "http_requests_total", &of)
    )
}

fn front_row() -> Row {
    let of = of(NAME);
    let firing =
        format!("max by (alertname, severity, alertstate, job) ({})", sel("board:alerts:active", &of));
    row(
        "What the edge adds",
        vec![
            Panel::new(Kind::Lines, "Failures of its own", Unit::Ratio, "Share of the requests that the edge answered with 500, 502 or 504 although no service failed: what the alert EdgeErrors counts. Normal is 0; above the dashed 5 % it pages.")
                .query(query("failures", own_failures()))
                .steps(&ERRORS[2..])
                .size(8, 7)
                .links([traces_of(NAME)]),
            Panel::new(Kind::Stack, "Refused by the edge", Unit::Requests, "Requests that went to no service: by a limit, by a rule, and for want of a verdict. Normal is a trickle of scanners.")
                .query(query("limit: {{route}}", rates("route", "edge_rate_limited_total", &of)))
                .query(query("rule: {{rule}}", rates("rule", "edge_waf_matches_total", &format!("{of}, action=\"blocked\""))))
                .query(query("no verdict", rates("", "edge_waf_stuck_total", &of)))
                .colour("no verdict", "red")
                .size(8, 7),
            alerts("Alerts of this service", &firing, (8, 7)),
        ],
    )
}

fn upstream_row() -> Row {
    let of = of(NAME);
    let errors = format!("{of}, status=~\"5..\"");
    let links = || [to("order-api", "order-api"), to("user-service", "user-service")];
    row(
        "Routes and upstreams",
        vec![
            Panel::new(Kind::Stack, "Requests by route and upstream", Unit::Requests, "Requests that were sent on. Normal follows the load; with a canary, its share is that of its weight.")
                .query(query("{{route}} to {{upstream}}", rates("route, upstream", "edge_requests_total", &of)))
                .size(6, 7)
                .links(links()),
            panel("Errors by route and upstream", Unit::Ratio, "Share of the answers that are 5xx, after retries. Normal is 0, except for the route risky, which fails for 20 % by design.")
                .query(query("{{route}} to {{upstream}}", share("route, upstream", "edge_requests_total", &errors, &of)))
                .steps(&ERRORS[1..])
                .links(links()),
            panel("p95 by route and upstream", Unit::Seconds, "Time to the head of the answer, retries included. Normal is below the dashed 250 ms.")
                .query(query("{{route}} to {{upstream}}", quantile(0.95, "route, upstream", "edge_request_duration_seconds", &of)).exemplars())
                .steps(&LATENCY[1..])
                .links([slow_traces_of(NAME)]),
            panel("Retries", Unit::Requests, "Attempts after the first one, and those for which there was no budget. Normal is 0.")
                .query(query("{{upstream}}", rates("upstream", "edge_retries_total", &of)))
                .query(query("no budget: {{upstream}}", rates("upstream", "edge_retries_refused_total", &of))),
        ],
    )
}

fn replica_row() -> Row {
    let of = of(NAME);
    row(
        "Replicas",
        vec![
            Panel::new(Kind::Stack, "Attempts by outcome", Unit::Requests, "Attempts, by replica and how they ended. Normal is ok, in equal parts; unreachable is a replica that is gone, broken one that dies in the middle, timeout one that hangs.")
                .query(query("{{endpoint}} {{outcome}}", rates("endpoint, outcome", "edge_attempts_total", &of)))
                .size(6, 7),
            panel("Attempt p95", Unit::Seconds, "Duration of one attempt, by replica. Normal is the same for all replicas of a service; one that leaves the others is sick.")
                .query(query("{{endpoint}}", quantile(0.95, "endpoint", "edge_attempt_duration_seconds", &of)).exemplars())
                .links([slow_traces_of(NAME)]),
            panel("Out of rotation", Unit::Count, "1 while a replica gets no requests, as one of the edges sees it. Normal is 0.")
                .query(query("{{upstream}} {{endpoint}}", max("upstream, endpoint", &sel("edge_ejected", &of))))
                .query(query("drained: {{upstream}} {{endpoint}}", max("upstream, endpoint", &sel("edge_drained", &of))))
                .range(0.0, 1.0)
                .steps(&NEVER[1..]),
            panel("In flight by replica", Unit::Count, "Requests that a replica has not answered completely. Normal is a handful; one that grows alone hangs.")
                .query(query("{{endpoint}}", sum("endpoint", &sel("edge_in_flight", &of)))),
        ],
    )
}

fn firewall_row() -> Row {
    let of = of(NAME);
    let busy = format!(
        "{}\n/\n{}",
        sum("", &sel("edge_waf_threads_busy", &of)),
        sum("", &sel("edge_waf_threads", &of))
    );
    row(
        "Firewall",
        vec![
            panel("CPU seconds by rule", Unit::Plain, "Processor time that each rule takes per second, running searches included. Normal is near 0; a rule near the number of threads is stuck.")
                .query(query("{{rule}}", rates("rule", "edge_waf_cpu_seconds_total", &of))),
            Panel::new(Kind::Stack, "Verdicts", Unit::Requests, "Requests that a rule found, by rule: blocked, or only counted because the rule simulates. Normal is a trickle; a new rule that finds many has a mistake, or there is an attack.")
                .query(query("{{rule}} {{action}}", rates("rule, action", "edge_waf_matches_total", &of)))
                .size(6, 7),
            panel("Searches ended at their cost", Unit::Operations, "Searches that were ended because they took more steps than their rule or the request may, by rule. Normal is 0; the protection regex-guard ends them.")
                .query(query("{{rule}}", rates("rule", "edge_waf_overruns_total", &of)))
                .steps(&NEVER[1..]),
            panel("Threads of the firewall in use", Unit::Ratio, "Share of the threads that judge requests at this moment. Normal is near 0; at 100 % requests wait, and are then answered with 502.")
                .query(query("in use", busy))
                .range(0.0, 1.0)
                .steps(&USED[1..]),
            panel("Steps by rule", Unit::Operations, "Steps that searches take per second, by rule. Normal follows the load: a step for each byte of a linear rule.")
                .query(query("{{rule}}", rates("rule", "edge_waf_steps_total", &of))),
            panel("Requests that wait for a verdict", Unit::Count, "Requests that wait for a thread of the firewall, by edge. Normal is 0.")
                .query(query("{{instance}}", sel("edge_waf_waiting", &of))),
            panel("Rules in force", Unit::Count, "Rules by edge; 0 for an edge whose firewall is off. Normal is the same for all edges: a change on an admin port is that of one edge.")
                .query(query("{{instance}}", format!("{}\n*\n{}", sel("edge_waf_rules", &of), sel("edge_waf_enabled", &of)))),
            panel("Changes of files", Unit::Events, "Changes of routes and rules, by what became of them. Normal is none; refused is a file with a mistake.")
                .query(query("{{result}}", rates("result", "edge_reloads_total", &of)))
                .colour("refused", "red"),
        ],
    )
}

fn saturation_row() -> Row {
    let of = of(NAME);
    let panel = |title, unit, description| panel(title, unit, description).size(8, 7);
    row(
        "Saturation",
        vec![
            panel(
                "Requests in flight",
                Unit::Count,
                "Requests that have not been answered yet, by edge. Normal is rate times latency: a handful, and the same for all edges.",
            )
            .query(query("{{instance}}", sel("http_requests_in_flight", &of))),
            panel(
                "Requests by edge",
                Unit::Requests,
                "Answered requests, by edge. Normal is similar parts: connections are spread, not requests.",
            )
            .query(query("{{instance}}", rates("instance", "http_requests_total", &of))),
            panel(
                "Shed and panics",
                Unit::Requests,
                "Requests refused because too many were in flight, handlers that panicked, and clients turned away because of their own behaviour (slow, too many, foreign). Normal is 0.",
            )
            .query(query("shed", rates("", "http_requests_shed_total", &of)))
            .query(query("panics", rates("", "http_panics_total", &of)))
            .query(query("turned away: {{reason}}", rates("reason", "http_clients_refused_total", &of)))
            .colour("panics", "red"),
        ],
    )
}
