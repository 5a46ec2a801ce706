//! Sends operations over HTTP/1.1 with keep-alive, as clients of the services would: W3C baggage that names the user,
//! an idempotency key on every order, and now and then a new connection.
//!
//! Idempotency keys are new in every run, whatever the seed: with repeated keys, the second run with a seed would get
//! the orders of the first.

use std::{collections::VecDeque, time::Duration};

use bytes::Bytes;
use contracts::orders::{Accepted, PlaceOrder};
use http::{Method, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use parking_lot::Mutex;
use uuid::Uuid;

use crate::{
    failures::FailureLog,
    mix::OperationKind,
    renewal::Renewal,
    target::{Outcome, Reply, Target},
    workload::{Action, Operation, RECENT_ORDERS, Visitor},
};

/// The lab's services as a target.
pub struct HttpTarget {
    client: Client<HttpConnector, Full<Bytes>>,
    order_api: String,
    user_service: String,
    recent: Mutex<VecDeque<Uuid>>,
    failures: FailureLog,
    renewal: Renewal,
}

/// How long a connection waits for its next request. A replica that is told to stop closes each connection with its next response
/// for `DRAIN_DELAY` (5 s in the chart), then those that are still idle: a connection that has waited longer may close while a request
/// is on its way.
const IDLE: Duration = Duration::from_secs(4);

/// Parses the base URL of a service: `http`, a host, no query.
///
/// # Errors
/// A sentence with the expected form.
pub fn base_url(text: &str) -> Result<Uri, String> {
    let wrong = || format!("`{text}` is not a base URL such as http://127.0.0.1:8000");
    let uri: Uri = text.parse().map_err(|_| wrong())?;
    if uri.scheme_str() == Some("https") {
        return Err(format!(
            "`{text}` needs TLS, which this program does not speak: start a proxy that does, and use its base URL, such as \
             http://127.0.0.1:8443 (load/README.md, \"A target behind https\")"
        ));
    }
    let plain = uri.scheme_str() == Some("http") && uri.host().is_some() && uri.query().is_none();
    if plain { Ok(uri) } else { Err(wrong()) }
}

/// A client that keeps its connections, and never sends a request twice.
pub(crate) fn client() -> Client<HttpConnector, Full<Bytes>> {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(IDLE)
        // A retry inside the client would hide a failure and send a request twice.
        .retry_canceled_requests(false)
        .build(connector)
}

/// The body of a successful `GET`, of at most 16 MiB, within ten seconds.
///
/// # Errors
/// A sentence with the URL and why there is none.
pub(crate) async fn get(url: &str) -> Result<Bytes, String> {
    const LARGEST: usize = 16 << 20;
    let uri: Uri = url.parse().map_err(|_| format!("`{url}` is not a URL"))?;
    let exchange = async {
        let response = client().get(uri).await.map_err(|error| chain(&error))?;
        if !response.status().is_success() {
            return Err(format!("status {}", response.status().as_u16()));
        }
        let body = http_body_util::Limited::new(response.into_body(), LARGEST).collect().await;
        body.map(http_body_util::Collected::to_bytes).map_err(|error| chain(&*error))
    };
    let answer: Result<Result<Bytes, String>, _> =
        tokio::time::timeout(Duration::from_secs(10), exchange).await;
    let answer = answer.unwrap_or_else(|_| Err("no answer within 10 s".to_owned()));
    answer.map_err(|error| format!("{url}: {error}"))
}

impl HttpTarget {
    /// A client of the two services. It sends no `traceparent`: it exports no spans, so the trace starts at the first service.
    #[must_use]
    pub fn new(order_api: &Uri, user_service: &Uri) -> Self {
        let client = client();
        let trimmed = |uri: &Uri| uri.to_string().trim_end_matches('/').to_owned();
        Self {
            client,
            order_api: trimmed(order_api),
            user_service: trimmed(user_service),
            recent: Mutex::new(VecDeque::with_capacity(RECENT_ORDERS)),
            failures: FailureLog::default(),
            renewal: Renewal::new(),
        }
    }

    fn request(&self, operation: &Operation) -> (OperationKind, Request<Full<Bytes>>) {
        let (orders, users) = (&self.order_api, &self.user_service);
        let id = operation.visitor.id();
        let list =
            || (OperationKind::ListOrders, Method::GET, format!("{orders}/orders?user_id={id}&limit=20"));
        let (kind, method, url) = match &operation.action {
            Action::PlaceOrder(_) => (OperationKind::PlaceOrder, Method::POST, format!("{orders}/orders")),
            Action::ReadOrder { back } => match self.recent_order(*back) {
                Some(order) => (OperationKind::ReadOrder, Method::GET, format!("{orders}/orders/{order}")),
                None => list(),
            },
            Action::ListOrders => list(),
            Action::ReadUser => (OperationKind::ReadUser, Method::GET, format!("{users}/users/{id}")),
            Action::ListUsers { limit } => {
                (OperationKind::ListUsers, Method::GET, format!("{users}/users?limit={limit}"))
            }
            Action::UpdateUser { .. } => {
                (OperationKind::UpdateUser, Method::PATCH, format!("{users}/users/{id}"))
            }
            Action::Risky => (OperationKind::Risky, Method::GET, format!("{orders}/risky")),
        };
        let mut request = Request::new(Full::new(body(operation)));
        *request.method_mut() = method;
        *request.uri_mut() = url.parse().unwrap_or_default();
        self.set_headers(&mut request, operation.visitor, kind);
        (kind, request)
    }

    fn set_headers(&self, request: &mut Request<Full<Bytes>>, visitor: Visitor, kind: OperationKind) {
        let baggage = format!("user.id={},user.tier={}", visitor.id(), visitor.tier().as_str());
        let headers = request.headers_mut();
        let mut set = |name: &'static str, value: String| {
            if let Ok(value) = value.try_into() {
                headers.insert(name, value);
            }
        };
        set("baggage", baggage);
        set(header::USER_AGENT.as_str(), concat!("load/", env!("CARGO_PKG_VERSION")).to_owned());
        if matches!(kind, OperationKind::PlaceOrder | OperationKind::UpdateUser) {
            set(header::CONTENT_TYPE.as_str(), "application/json".to_owned());
        }
        if kind == OperationKind::PlaceOrder {
            set("idempotency-key", Uuid::new_v4().to_string());
        }
        if self.renewal.is_due() {
            set(header::CONNECTION.as_str(), "close".to_owned());
        }
    }

    /// The order that was accepted `back` orders ago, or the oldest one in memory.
    fn recent_order(&self, back: usize) -> Option<Uuid> {
        let recent = self.recent.lock();
        recent.get(back).or_else(|| recent.back()).copied()
    }

    fn remember(&self, body: &[u8]) {
        let Ok(accepted) = serde_json::from_slice::<Accepted>(body) else { return };
        let mut recent = self.recent.lock();
        recent.truncate(RECENT_ORDERS - 1);
        recent.push_front(accepted.id);
    }

    async fn exchange(&self, kind: OperationKind, request: Request<Full<Bytes>>) -> Outcome {
        let (status, body) = match self.answer(request).await {
            Ok(answer) => answer,
            Err(error) => {
                self.failures.log(kind, |operation| {
                    tracing::warn!(operation, error = chain(&*error), "a request got no answer");
                });
                return Outcome::Transport;
            }
        };
        if kind == OperationKind::PlaceOrder && status == StatusCode::ACCEPTED {
            self.remember(&body);
        }
        let outcome = match status.as_u16() {
            500.. => Outcome::ServerError,
            400..500 => Outcome::ClientError,
            _ => Outcome::Ok,
        };
        if outcome != Outcome::Ok {
            let problem = serde_json::from_slice::<Problem>(&body).unwrap_or_default();
            self.failures.log(kind, |operation| {
                let Problem { title, trace_id } = problem;
                tracing::warn!(operation, status = status.as_u16(), title, trace_id, "a request failed");
            });
        }
        outcome
    }

    async fn answer(&self, request: Request<Full<Bytes>>) -> Result<(StatusCode, Bytes), BoxError> {
        let response = self.client.request(request).await?;
        let status = response.status();
        Ok((status, response.into_body().collect().await?.to_bytes()))
    }
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The fields of a failed response's body (RFC 9457) that are used.
#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct Problem {
    title: String,
    trace_id: String,
}

/// An error with its causes, `outer: inner`.
pub(crate) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

fn body(operation: &Operation) -> Bytes {
    let json = match &operation.action {
        Action::PlaceOrder(items) => {
            serde_json::to_vec(&PlaceOrder { user_id: operation.visitor.id(), items: items.clone() })
        }
        Action::UpdateUser { name } => serde_json::to_vec(&serde_json::json!({ "name": name })),
        _ => return Bytes::new(),
    };
    json.map(Bytes::from).unwrap_or_default()
}

impl Target for HttpTarget {
    async fn send(&self, operation: Operation) -> Reply {
        let (kind, request) = self.request(&operation);
        let outcome = self.exchange(kind, request).await;
        Reply { operation: kind, outcome }
    }
}
