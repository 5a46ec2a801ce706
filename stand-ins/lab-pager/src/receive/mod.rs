//! The two webhooks. An invalid payload gets a 400 that names the field, which Alertmanager logs and does not retry; nothing
//! of it is stored.

mod slack;
mod webhook;

use axum::{Router, body::Body, extract::State, routing::post};
use chassis_http::Problem;
use chrono::Utc;
use serde::de::DeserializeOwned;

use crate::{metrics::Format, page::Page, routes::Pager};

/// Largest payload: Alertmanager sends a few hundred bytes an alert.
pub const LARGEST: u64 = 1 << 20;

/// A problem in a payload: the field's path and what would be right.
#[derive(Debug, PartialEq, Eq)]
pub struct Wrong {
    /// Such as `alerts[0].startsAt`; `body` for the whole payload.
    pub field: String,
    /// What would be right.
    pub right: String,
}

impl Wrong {
    fn new(field: impl Into<String>, right: impl Into<String>) -> Self {
        Self { field: field.into(), right: right.into() }
    }
}

/// `POST /webhook` and `POST /slack`.
pub fn router() -> Router<Pager> {
    Router::new()
        .route("/webhook", post(|pager, body| take(pager, body, Format::Webhook)))
        .route("/slack", post(|pager, body| take(pager, body, Format::Slack)))
}

async fn take(State(pager): State<Pager>, body: Body, format: Format) -> Result<&'static str, Problem> {
    let body = match chassis_serve::body::collect(body).await {
        Ok(body) => body,
        Err(error) => {
            pager.metrics.refused(format);
            return Err(error.into());
        }
    };
    let pages = match format {
        Format::Webhook => webhook::pages(&body, Utc::now()),
        Format::Slack => slack::pages(&body, Utc::now()),
    };
    match pages {
        Ok(pages) => {
            pager.metrics.received(format);
            pages.into_iter().for_each(|page| keep(&pager, page));
            Ok("ok")
        }
        Err(Wrong { field, right }) => {
            pager.metrics.refused(format);
            tracing::warn!(format = format.as_str(), field, right, "notification refused");
            Err(Problem::invalid(field, right))
        }
    }
}

fn keep(pager: &Pager, page: Page) {
    let (status, severity) = (page.status, page.severity.clone());
    let delay = page.starts_at.filter(|_| page.ends_at.is_none()).map(|start| page.received_at - start);
    let line = (page.alertname.clone(), page.service.clone(), page.receiver.clone());
    if !pager.store.add(page) {
        pager.metrics.repeated();
        return;
    }
    pager.metrics.page(status, severity.as_deref(), delay);
    let (alertname, service, receiver) = line;
    tracing::info!(
        alertname,
        // `service` is who writes the line.
        alert.service = service,
        severity,
        receiver,
        status = status.map(crate::page::Status::as_str),
        "page"
    );
}

/// Parses JSON; an error has the path of the field.
fn json<T: DeserializeOwned>(body: &[u8]) -> Result<T, Wrong> {
    let mut reader = serde_json::Deserializer::from_slice(body);
    serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = error.path().to_string();
        let field = if path == "." { "body".to_owned() } else { path };
        Wrong::new(field, error.into_inner().to_string())
    })
}
