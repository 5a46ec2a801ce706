//! Every page of the control room, as a person finds it after [`Room::with_a_story`](crate::Room::with_a_story).

/// A page.
#[derive(Debug, Clone, Copy)]
pub struct Page {
    /// For files and messages.
    pub name: &'static str,
    /// Its address.
    pub path: &'static str,
    /// The route that shows it.
    pub template: &'static str,
    /// Whether only instructors may see it.
    pub instructor: bool,
    /// The status of its answer.
    pub status: u16,
}

const fn page(name: &'static str, path: &'static str, template: &'static str) -> Page {
    Page { name, path, template, instructor: false, status: 200 }
}

const fn for_instructors(name: &'static str, path: &'static str, template: &'static str) -> Page {
    Page { name, path, template, instructor: true, status: 200 }
}

const fn refusal(name: &'static str, path: &'static str, template: &'static str) -> Page {
    Page { name, path, template, instructor: false, status: 404 }
}

/// All, those for instructors last.
pub const PAGES: &[Page] = &[
    page("now", "/", "/"),
    page("incidents", "/incidents", "/incidents"),
    page("no-incidents", "/incidents?state=dismissed", "/incidents"),
    page("declare", "/incidents/new", "/incidents/new"),
    page("incident", "/incidents/INC-2", "/incidents/{id}"),
    page("incident-closed", "/incidents/INC-1", "/incidents/{id}"),
    refusal("no-such-incident", "/incidents/INC-99", "/incidents/{id}"),
    page("dashboards", "/dashboards", "/dashboards"),
    page("dashboard", "/d/overview", "/d/{uid}"),
    page("dashboard-order-api", "/d/order-api/order-api?from=now-1h&to=now", "/d/{uid}/{slug}"),
    page("explore", "/explore", "/explore"),
    page(
        "explore-query",
        "/explore?query=sum+by+%28service%29+%28rate%28http_requests_total%5B1m%5D%29%29",
        "/explore",
    ),
    page("explore-wrong-query", "/explore?query=sum+by+%28", "/explore"),
    page("traces", "/explore/traces", "/explore/traces"),
    page("trace", "/explore/traces/4bf92f3577b34da6a3ce929d0e0e4736", "/explore/traces/{id}"),
    page("logs", "/explore/logs", "/explore/logs"),
    page("alerts", "/alerts", "/alerts"),
    page("actions", "/actions?incident=INC-2", "/actions"),
    page("releases", "/releases", "/releases"),
    page("release", "/releases/REL-1", "/releases/{id}"),
    refusal("no-such-release", "/releases/REL-9", "/releases/{id}"),
    page("runbooks", "/runbooks", "/runbooks"),
    page("runbook", "/runbooks/OrderAvailabilityBudgetBurn", "/runbooks/{alert}"),
    page("procedure", "/runbooks/hand-over", "/runbooks/{alert}"),
    page("runbook-run", "/runbook-runs/RUN-1", "/runbook-runs/{id}"),
    page("automation", "/automation", "/automation"),
    page("toil", "/toil", "/toil"),
    page("protections", "/protections", "/protections"),
    page("on-call", "/oncall", "/oncall"),
    page("on-call-month", "/oncall?view=month", "/oncall"),
    page("postmortems", "/postmortems", "/postmortems"),
    page("postmortem", "/postmortems/INC-1", "/postmortems/{id}"),
    page("postmortem-edit", "/postmortems/INC-1/edit", "/postmortems/{id}/edit"),
    page("measures", "/measures", "/measures"),
    page("playbooks", "/playbooks", "/playbooks"),
    page("playbook", "/playbooks/declare", "/playbooks/{name}"),
    page("drills", "/drills", "/drills"),
    page("drill", "/drills/waiting-orders", "/drills/{id}"),
    page("drill-runs", "/drills/runs", "/drills/runs"),
    page("drill-run", "/drills/runs/1", "/drills/runs/{n}"),
    page("game-day", "/gameday", "/gameday"),
    page(
        "game-day-plan",
        "/gameday?title=Friday&drills=first-page,noon&from=2026-05-04T10:00:00Z&commander=ada",
        "/gameday",
    ),
    page("login", "/login", "/login"),
    for_instructors("faults", "/faults", "/faults"),
    for_instructors("fault", "/faults/order-api/http-error", "/faults/{service}/{fault}"),
];

/// Routes that answer a GET and are no page: data, files, a part of a page, and old addresses that redirect.
pub const NO_PAGES: &[&str] = &[
    "/assets/{name}",
    "/strip",
    "/trace/{id}",
    "/postmortems/{id}/markdown",
    "/incidents/{id}/curve.json",
    "/alerts/objectives/{slo}/burn.json",
    "/d/{uid}/panels/{panel}",
    "/explore/chart.json",
    "/gameday/report",
];
