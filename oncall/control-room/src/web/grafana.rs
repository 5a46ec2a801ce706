//! Grafana's address, where no Grafana is installed: its dashboards are drawn here at the same paths, so a link to one of them, or a
//! habit, arrives.
//!
//! It redirects and shows nothing, so it asks nobody for a token: the page does. Only Grafana's pages are redirected: a program that
//! asks for its API must not take this for Grafana.

use std::{net::TcpListener, sync::Arc};

use axum::{
    Router,
    extract::State,
    response::{IntoResponse as _, Response},
    routing::get,
};
use chassis_serve::{Protocol, whole_requests};
use chassis_service::Port;
use http::{StatusCode, Uri, header::LOCATION, uri::PathAndQuery};

use crate::config::RoomConfig;

/// The address of the pages, without a slash at its end.
type Base = Arc<str>;

/// The port, if one is wanted and free: everything else works without it.
pub(crate) fn port(config: &RoomConfig) -> Option<Port> {
    let address = config.grafana_addr?;
    if let Err(error) = TcpListener::bind(address) {
        tracing::warn!(%address, %error, "GRAFANA_ADDR cannot be used: Grafana's address does not lead here");
        return None;
    }
    Some(Port {
        name: "grafana",
        variable: "GRAFANA_ADDR",
        address,
        protocol: Protocol::Http1,
        routes: whole_requests(router(config.base().into())),
    })
}

fn router(base: Base) -> Router {
    Router::new()
        .route("/", get(list))
        .route("/login", get(list))
        .route("/dashboards", get(list))
        .route("/d/{uid}", get(same))
        .route("/d/{uid}/{slug}", get(same))
        .route("/explore", get(same))
        .fallback(missing)
        .with_state(base)
}

async fn list(State(base): State<Base>) -> Response {
    found(format!("{base}/dashboards"))
}

async fn same(State(base): State<Base>, uri: Uri) -> Response {
    let path = uri.path_and_query().map_or("/", PathAndQuery::as_str);
    found(format!("{base}{path}"))
}

fn found(url: String) -> Response {
    (StatusCode::FOUND, [(LOCATION, url)]).into_response()
}

async fn missing() -> (StatusCode, &'static str) {
    (StatusCode::NOT_FOUND, "Grafana is not installed here; / leads to its dashboards in the control room.\n")
}
