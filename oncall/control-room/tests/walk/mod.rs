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

/// A path of a template, about the first of everything.
pub(crate) fn path(template: &str) -> String {
    let known = [
        ("{id}", "INC-1"),
        ("{n}", "1"),
        ("{number}", "1"),
        ("{schedule}", "first-line.ics"),
        ("{to}", "mitigated"),
    ];
    let path = known.into_iter().fold(template.to_owned(), |path, (part, value)| path.replace(part, value));
    let parts = path.split('/').map(|part| if part.starts_with('{') { "order-api" } else { part });
    parts.collect::<Vec<_>>().join("/")
}
