//! What the edge has on its admin port beside what every program has. The admin port is not behind the edge:
//! it answers even while every thread of the firewall is stuck.
//!
//! * `GET|PUT|DELETE /waf` -- the rules and what they count; `PUT ?enabled=false` is the kill switch;
//!   `DELETE` takes back what was set.
//! * `GET|PUT|DELETE /waf/{id}` -- one rule; `PUT ?mode=simulate` changes its mode, `PUT` with a file as the
//!   body puts a rule into force, and with `?ttl=10m` ends it after that time.
//! * `GET /routes` -- routes, upstreams, and which replicas are out.
//! * `PUT|DELETE /routes/{name}` -- the weights of a route's upstreams, `?order-api=95&order-api-canary=5`,
//!   until the files change or `DELETE` takes them back.
//! * `GET|PUT|DELETE /drained` -- takes one replica out of the balancing for a while, and puts it back.
//! * `GET|PUT|DELETE /limit` -- one limit for every client, on top of those of the routes.
//! * `POST /reload` -- reads the files now.
//!
//! What is set here holds for this process until it ends. If there is a `FAULTS_TOKEN`, changes take it, as
//! the other switches do.

mod drain;
mod guard;
mod limit;
mod routes;
mod waf;

use std::sync::Arc;

use axum::{
    Router,
    middleware::from_fn_with_state,
    routing::{get, post, put},
};
use chassis_http::{Problem, problems::METHOD_NOT_ALLOWED};
use secrecy::SecretString;

use crate::state::AppState;

/// The paths of these routes, for people.
pub const PATHS: &[&str] =
    &["/waf", "/waf/{id}", "/routes", "/routes/{name}", "/drained", "/limit", "/reload"];

/// The routes of the edge; changes take `token` if there is one.
pub fn routes(state: AppState, token: Option<SecretString>) -> Router {
    Router::new()
        .route("/waf", get(waf::list).put(waf::switch).delete(waf::reset))
        .route("/waf/{id}", get(waf::show).put(waf::set).delete(waf::withdraw))
        .route("/routes", get(routes::show))
        .route("/routes/{name}", put(routes::weigh).delete(routes::unweigh))
        .route("/drained", get(drain::show).put(drain::set).delete(drain::clear))
        .route("/limit", get(limit::show).put(limit::set).delete(limit::clear))
        .route("/reload", post(routes::reload))
        .method_not_allowed_fallback(|| async {
            Problem::new(&METHOD_NOT_ALLOWED, "The header `Allow` lists what this route takes.")
        })
        .route_layer(from_fn_with_state(Arc::new(token), guard::guard))
        .with_state(state)
}
