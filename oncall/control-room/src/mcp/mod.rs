//! What agents ask and do: the control room as a server of the Model Context Protocol (Streamable HTTP) at
//! `/mcp`.
//!
//! * [`tools`] -- the functions: plain, over a [`Room`], bounded, each call in the journal. `/api/v1/observe`
//!   uses them too.
//! * `catalogue` -- the table of tools: names, texts, schemas. `effect` -- which of them only look. `server` --
//!   from a call of the protocol to a function.
//! * [`caller`] -- who asks. Always with a trainee's eyes, whatever the token would allow.
//!
//! Each request stands alone: there are no sessions, so a restart of the control room loses none. `Host`,
//! `Origin` and tokens are checked as for the API.

pub mod caller;
mod catalogue;
mod effect;
mod server;
pub mod tools;

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    extract::{FromRef, Request, State},
    response::Response,
    routing::post,
};
use chassis_http::Routes;
use rmcp::transport::streamable_http_server::{
    StreamableHttpServerConfig, StreamableHttpService, session::never::NeverSessionManager,
};

use self::{caller::Caller, server::Server};
use crate::room::Room;

/// Where it is.
pub const PATH: &str = "/mcp";
/// Largest message in bytes: a tool takes a query or a few paragraphs.
const LARGEST: usize = 1 << 20;

/// What the handler needs. Cheap to clone.
#[derive(Clone)]
struct Gate {
    room: Room,
    service: Arc<StreamableHttpService<Server, NeverSessionManager>>,
}

impl FromRef<Gate> for Room {
    fn from_ref(gate: &Gate) -> Self {
        gate.room.clone()
    }
}

/// The route of the protocol.
#[must_use]
pub fn routes(room: &Room) -> Routes {
    let server = Server::new(room);
    let config = StreamableHttpServerConfig::default()
        // The port has checked `Host` and `Origin` by ALLOWED_HOSTS already.
        .disable_allowed_hosts()
        .with_legacy_session_mode(false)
        .with_json_response(true)
        .with_max_request_body_bytes(LARGEST);
    let make = move || Ok(server.clone());
    let service = StreamableHttpService::new(make, Arc::new(NeverSessionManager::default()), config);
    let gate = Gate { room: room.clone(), service: Arc::new(service) };
    // Without sessions there is nothing to GET or DELETE: the protocol asks for 405, which the port answers.
    Routes::plain(Router::new().route(PATH, post(serve)).with_state(gate), &[("POST", PATH)])
}

async fn serve(State(gate): State<Gate>, caller: Caller, mut request: Request) -> Response {
    request.extensions_mut().insert(caller);
    gate.service.handle(request).await.map(Body::new)
}
