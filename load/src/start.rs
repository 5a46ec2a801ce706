//! The start of a shop. Load and probes that are installed together with it wait until it is open: what they send before is refused,
//! which is nobody's fault and would page a person.
//!
//! It is open when it has settled an order, because an order needs all of its parts. All who wait place the same one, named by a key:
//! one order that takes long is within the objective, and one for each look would not be. A shop that was open before answers with
//! that order at once.

use std::time::Duration;

use bytes::Bytes;
use clap::Args;
use http::{Request, Uri, header, request::Builder};
use http_body_util::Full;
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use tokio::time::{self, Instant};
use tokio_util::sync::CancellationToken;

use crate::{
    http::client,
    probe::{
        ask::exchange,
        journey::{self, Answer},
    },
};

/// Pause between two looks.
const PAUSE: Duration = Duration::from_secs(1);
/// Longest time for one request.
const PATIENCE: Duration = Duration::from_secs(4);
/// Names the first order.
const KEY: &str = "the-first-order-of-the-shop";
/// How it calls itself in access logs.
const AGENT: &str = concat!("lab-start/", env!("CARGO_PKG_VERSION"));

/// Whether to wait.
#[derive(Debug, Clone, Args)]
pub struct StartConfig {
    /// Longest wait at the start until the shop is open: until it has settled an order. Then it begins anyway. 0s: does not wait.
    #[arg(long, env = "START_WAIT", default_value = "0s", value_name = "TIME", value_parser = humantime::parse_duration)]
    pub start_wait: Duration,
}

/// A shop that may be starting.
pub(crate) struct Shop {
    client: Client<HttpConnector, Full<Bytes>>,
    orders: String,
    users: String,
}

impl Shop {
    /// At these base URLs.
    pub(crate) fn new(orders: &Uri, users: &Uri) -> Self {
        let base = |uri: &Uri| uri.to_string().trim_end_matches('/').to_owned();
        Self { client: client(), orders: base(orders), users: base(users) }
    }

    /// Waits until it is open, or for `longest`; calls `waiting` before each further look. Returns whether to begin: not if `stop`
    /// came first.
    pub(crate) async fn opens(
        &self,
        longest: Duration,
        stop: &CancellationToken,
        waiting: impl Fn(),
    ) -> bool {
        if longest.is_zero() {
            return true;
        }
        let (deadline, mut said) = (Instant::now() + longest, false);
        loop {
            let Some(looked) = stop.run_until_cancelled(self.look()).await else { return false };
            let Err(reason) = looked else {
                tracing::info!("the shop is open");
                return true;
            };
            if Instant::now() >= deadline {
                tracing::warn!(reason, ?longest, "the shop has not opened; beginning anyway");
                return true;
            }
            if !said {
                tracing::info!(reason, ?longest, "waiting until the shop is open");
                said = true;
            }
            waiting();
            if stop.run_until_cancelled(time::sleep(PAUSE)).await.is_none() {
                return false;
            }
        }
    }

    /// Whether it is open; the reason if it is not.
    async fn look(&self) -> Result<(), String> {
        // First, because an order without it is a failure of order-api that counts.
        self.ask(Request::get(format!("{}/users/{}", self.users, journey::user())), Bytes::new()).await?;
        let order = journey::order(0);
        let body = serde_json::to_vec(&order).map_err(|error| error.to_string())?;
        let place = Request::post(format!("{}/orders", self.orders))
            .header(header::CONTENT_TYPE, "application/json")
            .header("idempotency-key", KEY);
        let placed = self.ask(place, body.into()).await?;
        // A shop that refuses it is open: why it does is for those who use it.
        let Ok(id) = journey::accepted(&placed, &order) else { return Ok(()) };
        let read = self.ask(Request::get(format!("{}/orders/{id}", self.orders)), Bytes::new()).await?;
        match journey::settled(&read) {
            Ok(None) => Err(format!("its first order {id} is not settled yet")),
            Ok(Some(_)) | Err(_) => Ok(()),
        }
    }

    /// An answer that comes from an open shop, even if it is a refusal.
    async fn ask(&self, request: Builder, body: Bytes) -> Result<Answer, String> {
        let request = request.header(header::USER_AGENT, AGENT).body(Full::new(body));
        let request = request.map_err(|error| error.to_string())?;
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let answer = exchange(&self.client, request, PATIENCE).await;
        let answer = answer.map_err(|failure| format!("{method} {path}: {}", failure.reason))?;
        if answer.status.is_server_error() {
            return Err(format!("{method} {path}: status {}", answer.status.as_u16()));
        }
        Ok(answer)
    }
}
