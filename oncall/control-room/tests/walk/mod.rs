//! Every route that the program has, and a path of each, for tests that ask all of them.

use control_room::{SERVICE, api, assemble, web};
use http::Method;

use crate::rig;

/// Method and template of every route that the program has, but of the stream of events, which has no end.
pub(crate) async fn routes() -> Vec<(Method, String)> {
    let folder = tempfile::tempdir().expect("a folder");
    let config = rig::config(&folder, &[]);
    let chassis = config.common().chassis(SERVICE, &[], &[]);
    let room = assemble(&config, chassis).await.expect("a control room");
    let mut routes = api::routes(&room).and(web::routes(&room)).declared().to_vec();
    routes.retain(|(_, template)| template != "/api/v1/events");
    routes
}

/// What a part of a path is, by the beginning of its template: things that every control room has, and the first of what tests make.
const NAMES: [(&str, &str, &str); 23] = [
    ("/drills/", "{id}", "first-page"),
    ("/api/v1/drills/runs/", "{id}", "1"),
    ("/api/v1/drills/", "{id}", "first-page"),
    ("/runbook-runs/", "{id}", "RUN-1"),
    ("/api/v1/runbook-runs/", "{id}", "RUN-1"),
    ("/releases/", "{id}", "REL-1"),
    ("/api/v1/releases/", "{id}", "REL-1"),
    ("/runbooks/", "{alert}", "hand-over"),
    ("/api/v1/runbooks/", "{name}", "hand-over"),
    ("/playbooks/", "{name}", "declare"),
    ("/alerts/", "{slo}", "order-availability"),
    ("/faults/", "{fault}", "http-error"),
    ("/explore/", "{id}", "4bf92f3577b34da6a3ce929d0e0e4736"),
    ("/trace/", "{id}", "4bf92f3577b34da6a3ce929d0e0e4736"),
    ("/d/", "{panel}", "1"),
    ("/api/v1/slos/", "{slo}", "order-availability"),
    ("/api/v1/oncall/policies/", "{policy}", "all"),
    ("/api/v1/oncall/schedules/{schedule}/shifts", "{schedule}", "first-line"),
    ("/", "{schedule}", "first-line.ics"),
    ("/", "{id}", "INC-1"),
    ("/", "{n}", "1"),
    ("/", "{number}", "1"),
    ("/", "{to}", "mitigated"),
];

/// A path of a template. What has no name here is a service, a board or a rule: `order-api`.
pub(crate) fn path(template: &str) -> String {
    let named = |part: &str| {
        let known = NAMES.iter().find(|(start, name, _)| template.starts_with(start) && part == *name);
        known.map_or("order-api", |(_, _, value)| *value)
    };
    let parts = template.split('/').map(|part| if part.starts_with('{') { named(part) } else { part });
    parts.collect::<Vec<_>>().join("/")
}
