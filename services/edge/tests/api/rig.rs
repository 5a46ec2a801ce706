//! A running edge, the files that it reads, and upstreams.

use std::{
    fs,
    net::SocketAddr,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{ConnectInfo, Path, Request, State},
    response::IntoResponse,
    routing::{any, get},
};
use chassis_service::lifecycle::Running;
use clap::Parser;
use edge::{EdgeConfig, SERVICE, build, faults};
use http::StatusCode;
use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::{Http, Scrape};
use tokio::net::TcpListener;

/// Long enough for a loaded machine, short enough to notice a hang.
pub(crate) const SOON: Duration = Duration::from_secs(20);

/// The rule of July 2019.
pub(crate) const INCIDENT: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../waf/incidents/inline-script.yaml"));

/// An upstream that says who it is, and what it got.
pub(crate) struct Upstream {
    pub(crate) addr: SocketAddr,
    state: Arc<Seen>,
}

struct Seen {
    name: &'static str,
    requests: AtomicUsize,
}

impl Upstream {
    pub(crate) async fn start(name: &'static str) -> Self {
        let state = Arc::new(Seen { name, requests: AtomicUsize::new(0) });
        let routes = Router::new()
            .route("/status/{code}", any(status))
            .route("/hang", any(std::future::pending::<()>))
            .route("/stream", get(stream))
            .fallback(echo)
            .with_state(Arc::clone(&state));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let routes = routes.into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Self { addr, state }
    }

    /// Requests that reached it.
    pub(crate) fn requests(&self) -> usize {
        self.state.requests.load(Relaxed)
    }
}

async fn status(State(seen): State<Arc<Seen>>, Path(code): Path<u16>) -> impl IntoResponse {
    seen.requests.fetch_add(1, Relaxed);
    (StatusCode::from_u16(code).unwrap(), seen.name)
}

/// Two pieces, the second of which never comes.
async fn stream() -> impl IntoResponse {
    use futures::StreamExt as _;
    let first = futures::stream::once(async { Ok::<_, std::io::Error>(Bytes::from_static(b"first")) });
    axum::body::Body::from_stream(first.chain(futures::stream::pending()))
}

async fn echo(
    State(seen): State<Arc<Seen>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Json<Value> {
    seen.requests.fetch_add(1, Relaxed);
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let headers: serde_json::Map<String, Value> = parts
        .headers
        .iter()
        .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into()))
        .collect();
    Json(json!({
        "by": seen.name,
        "peer": peer.port(),
        "method": parts.method.as_str(),
        "target": parts.uri.to_string(),
        "headers": headers,
        "body": String::from_utf8_lossy(&body),
    }))
}

/// An edge with its files.
pub(crate) struct Edge {
    pub(crate) http: Http,
    pub(crate) admin: Http,
    pub(crate) running: Running,
    folder: TempDir,
}

impl Edge {
    /// With these routes, and the rules of the lab.
    pub(crate) async fn start(routes: &str) -> Self {
        Self::with(routes, &[]).await
    }

    /// With more flags.
    pub(crate) async fn with(routes: &str, flags: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("routes.yaml");
        fs::write(&file, routes).unwrap();
        let file = format!("--edge-routes={}", file.display());
        let mut args = vec!["edge", "--public-addr=127.0.0.1:0", "--admin-addr=127.0.0.1:0", file.as_str()];
        args.extend(["--request-timeout=20s", "--log-level=off"]);
        if !flags.iter().any(|flag| flag.starts_with("--reload-every")) {
            // Files are read when a test says so.
            args.push("--reload-every=1h");
        }
        args.extend(flags);
        let config = EdgeConfig::try_parse_from(args).expect("good flags");
        let chassis = config.common.chassis(SERVICE, faults::CATALOGUE, faults::SUBJECT);
        let running = Running::start(build(&config, chassis).expect("an edge")).await.expect("free ports");
        let http = Http::to(running.public.expect("a public port"));
        Self { http, admin: Http::to(running.admin), running, folder }
    }

    /// Writes other routes.
    pub(crate) fn write(&self, routes: &str) {
        fs::write(self.path("routes.yaml"), routes).unwrap();
    }

    /// Reads the files now; the first route, as it is in force then.
    pub(crate) async fn reload(&self) -> Value {
        let answer = self.admin.send(http::Method::POST, "/reload", &[], String::new()).await;
        answer.expect_status(200).json()["routes"][0].clone()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) async fn scrape(&self) -> Scrape {
        Scrape::of(self.running.admin).await
    }

    /// Who answered a `GET`.
    pub(crate) async fn asks(&self, path: &str, headers: &[(&str, &str)]) -> String {
        let answer = self.http.send(http::Method::GET, path, headers, String::new()).await;
        answer.expect_status(200).json()["by"].as_str().unwrap().to_owned()
    }

    /// Puts a rule into force.
    pub(crate) async fn push(&self, id: &str, rule: &str) {
        let path = format!("/waf/{id}");
        self.admin.send(http::Method::PUT, &path, &[], rule.to_owned()).await.expect_status(200);
    }
}

/// Routes that lead everything to one upstream with these replicas.
pub(crate) fn to(replicas: &[SocketAddr]) -> String {
    // Patient: beside whole labs and beside rules that burn a core, an answer took more than the four seconds of a route.
    to_with(replicas, ", timeout: 15s")
}

/// The same, with more fields of the route.
pub(crate) fn to_with(replicas: &[SocketAddr], more: &str) -> String {
    let replicas: Vec<String> = replicas.iter().map(|at| format!("'http://{at}'")).collect();
    format!(
        "upstreams:
  up: {{endpoints: [{}]}}
routes:
  - {{name: all, prefix: /, to: [{{upstream: up}}]{more}}}
",
        replicas.join(", ")
    )
}
