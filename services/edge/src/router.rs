//! The public port: every path has one handler. Where a request goes is data (`services/edge/routes.yaml`), and so is the label
//! `endpoint` by which it is counted: `/orders`, `/orders/{*path}`.

use std::collections::BTreeSet;

use axum::{Router, routing::any};
use chassis_http::Routes;

use crate::{routes::forward::forward, state::AppState};

/// What no prefix of a route covers: also the routes of a later file with new prefixes.
const EVERYTHING: [&str; 2] = ["/", "/{*path}"];
/// Methods of which the series of each path begin at 0; those of others begin with their first request.
const METHODS: [&str; 2] = ["GET", "POST"];

/// The public routes, without the layers of the chassis: a path and all below it for each prefix that the file had at the start.
pub fn routes(state: AppState) -> Routes {
    let live = state.inner.live.load();
    let prefixes = live.table().routes.iter().map(|route| route.prefix.as_str()).filter(|path| plain(path));
    let below = |prefix: &str| [prefix.to_owned(), format!("{prefix}/{{*path}}")];
    let paths: BTreeSet<String> = prefixes.flat_map(below).chain(EVERYTHING.map(str::to_owned)).collect();
    let declared: Vec<(&str, &str)> =
        paths.iter().flat_map(|path| METHODS.map(|method| (method, path.as_str()))).collect();
    let router = paths.iter().fold(Router::new(), |router, path| router.route(path, any(forward)));
    Routes::plain(router.with_state(state), &declared)
}

/// Whether a prefix is a path that the router takes literally, and not everything.
fn plain(prefix: &str) -> bool {
    let literal = |c: char| c.is_ascii_alphanumeric() || "-._~/".contains(c);
    prefix.len() > 1 && !prefix.contains("//") && prefix.chars().all(literal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_router_would_not_take_literally_is_counted_with_everything() {
        for (prefix, is) in
            [("/orders", true), ("/openapi.json", true), ("/", false), ("/{id}", false), ("/a//b", false)]
        {
            assert_eq!(plain(prefix), is, "{prefix}");
        }
    }
}
