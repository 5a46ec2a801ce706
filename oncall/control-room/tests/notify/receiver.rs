//! A program that is called: keeps every request, and answers as it is told.

use std::{collections::VecDeque, future::pending, sync::Arc};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, Uri},
    response::{IntoResponse as _, Response},
};
use parking_lot::Mutex;
use tokio::net::TcpListener;

/// A request.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

/// What it does with a request.
#[derive(Debug, Clone)]
pub(crate) enum Does {
    /// Answers with a status and a body.
    Answers(u16, &'static str),
    /// Answers 429.
    AsksToWait(u64),
    /// Takes the request and never answers.
    Hangs,
}

/// The program.
#[derive(Clone)]
pub(crate) struct Receiver {
    pub(crate) url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
    script: Arc<Mutex<VecDeque<Does>>>,
}

impl Receiver {
    /// Answers these in turn, then 202.
    pub(crate) async fn start(script: impl IntoIterator<Item = Does>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let receiver =
            Self { url, asked: Arc::default(), script: Arc::new(Mutex::new(script.into_iter().collect())) };
        let routes = Router::new().fallback(take).with_state(receiver.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        receiver
    }

    /// Every request so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().clone()
    }
}

async fn take(State(receiver): State<Receiver>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let body = String::from_utf8_lossy(&body).into_owned();
    receiver.asked.lock().push(Asked { path: uri.path().to_owned(), headers, body });
    let does = receiver.script.lock().pop_front().unwrap_or(Does::Answers(202, "{}"));
    answer(does).await
}

/// The answer to a request.
pub(crate) async fn answer(does: Does) -> Response {
    match does {
        Does::Answers(status, body) => {
            (StatusCode::from_u16(status).expect("a status"), body).into_response()
        }
        Does::AsksToWait(seconds) => {
            (StatusCode::TOO_MANY_REQUESTS, [("retry-after", seconds.to_string())]).into_response()
        }
        Does::Hangs => pending().await,
    }
}
