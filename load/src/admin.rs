//! What the generator has on its admin port beside what every program has: the rate.
//!
//! * `GET /rate` -- `{"rps": 50.0}`
//! * `PUT /rate?rps=200` -- changes it at once; 0 pauses.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Query, State, rejection::QueryRejection},
    response::{IntoResponse, Response},
    routing::get,
};
use chassis_http::Problem;
use prometheus::Gauge;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::config::MAX_RATE;

/// The target rate: the admin port sets it, the driver follows it, a gauge shows it.
#[derive(Clone)]
pub struct Rate {
    sender: Arc<watch::Sender<f64>>,
    gauge: Gauge,
}

impl Rate {
    /// Starts at `rps` requests per second.
    #[must_use]
    pub fn new(rps: f64, gauge: Gauge) -> Self {
        gauge.set(rps);
        Self { sender: Arc::new(watch::Sender::new(rps)), gauge }
    }

    /// Changes the rate.
    pub fn set(&self, rps: f64) {
        self.gauge.set(rps);
        self.sender.send_replace(rps);
    }

    /// The current rate.
    #[must_use]
    pub fn get(&self) -> f64 {
        *self.sender.borrow()
    }

    /// Follows the rate.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<f64> {
        self.sender.subscribe()
    }
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    rps: f64,
}

/// The paths of [`routes`].
pub const PATHS: &[&str] = &["/rate"];

/// The routes of the rate.
pub fn routes(rate: Rate) -> Router {
    Router::new().route("/rate", get(show).put(change)).with_state(rate)
}

async fn show(State(rate): State<Rate>) -> Json<Wanted> {
    Json(Wanted { rps: rate.get() })
}

async fn change(State(rate): State<Rate>, wanted: Result<Query<Wanted>, QueryRejection>) -> Response {
    match wanted {
        Ok(Query(Wanted { rps })) if (0.0..=MAX_RATE).contains(&rps) => {
            rate.set(rps);
            tracing::info!(rps, "rate changed");
            Json(Wanted { rps }).into_response()
        }
        _ => Problem::invalid("rps", format!("a number from 0 to {MAX_RATE}, as in /rate?rps=200"))
            .into_response(),
    }
}
