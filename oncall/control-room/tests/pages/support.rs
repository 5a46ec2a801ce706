//! The control room on free ports, without any system that it watches, and a browser that follows links and sends forms.

use std::{path::PathBuf, time::Duration};

use axum::{Json, Router, routing::get};
use chassis_service::lifecycle::Running;
use clap::Parser as _;
use control_room::{SERVICE, build, config::RoomConfig};
use parking_lot::Mutex;
use reqwest::{Client, Method, Response, header, redirect::Policy};
use serde_json::json;
use testkit::eventually;
use tokio::net::TcpListener;

/// How long something may take that happens by itself.
const PATIENCE: Duration = Duration::from_secs(10);

/// What came back.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) status: u16,
    /// Where a redirect leads; empty if it is none.
    pub(crate) location: String,
    pub(crate) headers: header::HeaderMap,
    pub(crate) body: String,
}

impl Page {
    async fn read(answer: Response) -> Self {
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let text = |name: header::HeaderName| {
            headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
        };
        let location = text(header::LOCATION);
        Self { status, location, body: answer.text().await.expect("a body"), headers }
    }

    /// A header; empty if it is missing.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// What follows `start` up to `end`, each time.
    pub(crate) fn between(&self, start: &str, end: &str) -> Vec<&str> {
        self.body.split(start).skip(1).filter_map(|rest| rest.split(end).next()).collect()
    }

    #[track_caller]
    pub(crate) fn has(&self, text: &str) -> &Self {
        assert!(self.body.contains(text), "no `{text}` in\n{}", self.body);
        self
    }

    #[track_caller]
    pub(crate) fn has_not(&self, text: &str) -> &Self {
        assert!(!self.body.contains(text), "`{text}` in\n{}", self.body);
        self
    }
}

/// The program and a visitor.
pub(crate) struct Rig {
    running: Option<Running>,
    base: String,
    http: Client,
    cookies: Mutex<Vec<String>>,
}

/// The one part of the shop that answers: a drill sets the load before it waits for a healthy start.
async fn load() -> String {
    let rate = || async { Json(json!({ "rps": 50.0 })) };
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let router = Router::new().route("/rate", get(rate).put(rate));
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

impl Rig {
    pub(crate) async fn start() -> Self {
        Self::start_with(&[]).await
    }

    pub(crate) async fn start_with(extra: &[&str]) -> Self {
        let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
        let root = root.to_str().expect("a path in UTF-8");
        let oncall = format!("{root}/oncall.yaml");
        let load = format!("--load-admin-url={}", load().await);
        let fixed = [
            "control-room",
            "--public-addr=127.0.0.1:0",
            "--admin-addr=127.0.0.1:0",
            // Nothing listens at the port of discard.
            "--prometheus-url=http://127.0.0.1:9",
            "--alertmanager-url=http://127.0.0.1:9",
            "--traces-url=http://127.0.0.1:9",
            "--instances=order-api=http://127.0.0.1:9,user-service=http://127.0.0.1:9",
            "--calls=load>order-api,order-api>user-service",
            &load,
            "--oncall",
            &oncall,
            "--checkout",
            root,
        ];
        let arguments = fixed.into_iter().chain(extra.iter().copied());
        let config = RoomConfig::try_parse_from(arguments).expect("valid flags");
        let chassis = config.common().chassis(SERVICE, &[], &[]);
        let app = build(&config, chassis).await.expect("a control room");
        let running = Running::start(app).await.expect("free ports");
        let base = format!("http://{}", running.public.expect("a public port"));
        let http = Client::builder().no_proxy().redirect(Policy::none()).timeout(Duration::from_secs(30));
        let http = http.build().expect("a client");
        Self { running: Some(running), base, http, cookies: Mutex::new(Vec::new()) }
    }

    async fn send(&self, method: Method, path: &str, body: Option<String>) -> Page {
        let path = path.split('#').next().unwrap_or_default();
        let mut request = self.http.request(method, format!("{}{path}", self.base));
        let cookies = self.cookies.lock().join("; ");
        if !cookies.is_empty() {
            request = request.header(header::COOKIE, cookies);
        }
        if let Some(body) = body {
            request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded").body(body);
        }
        let page = Page::read(request.send().await.expect("an answer")).await;
        for cookie in page.headers.get_all(header::SET_COOKIE) {
            let pair = cookie.to_str().expect("a cookie").split(';').next().unwrap_or_default().to_owned();
            let name = pair.split('=').next().unwrap_or_default().to_owned();
            let mut jar = self.cookies.lock();
            jar.retain(|known| known.split('=').next() != Some(name.as_str()));
            if !pair.ends_with('=') {
                jar.push(pair);
            }
        }
        page
    }

    /// Asks for a page, whatever the answer.
    pub(crate) async fn ask(&self, path: &str) -> Page {
        self.send(Method::GET, path, None).await
    }

    /// Asks for a page that exists.
    pub(crate) async fn get(&self, path: &str) -> Page {
        let page = self.ask(path).await;
        assert_eq!(page.status, 200, "{path}: {}", page.body);
        page
    }

    /// Sends a form that `page` has, with its hidden field.
    pub(crate) async fn submit(&self, page: &Page, action: &str, fields: &[(&str, &str)]) -> Page {
        let forms = page.between("<form", "</form>");
        let form = forms.iter().find(|form| form.contains(&format!("action=\"{action}\"")));
        let form = form.unwrap_or_else(|| panic!("no form for {action} in\n{}", page.body));
        let csrf = form.split("name=\"csrf\" value=\"").nth(1).and_then(|rest| rest.split('"').next());
        let csrf = csrf.unwrap_or_else(|| panic!("the form for {action} has no csrf"));
        self.post(action, &[&[("csrf", csrf)], fields].concat()).await
    }

    /// Sends fields as they are.
    pub(crate) async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Page {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.send(Method::POST, path, Some(body)).await
    }

    /// Declares an incident by the form and returns its address.
    pub(crate) async fn declare(&self, title: &str, severity: &str) -> String {
        let page = self.get("/incidents/new").await;
        let fields = [("title", title), ("severity", severity), ("service", "order-api")];
        let sent = self.submit(&page, "/incidents", &fields).await;
        assert_eq!(sent.status, 303, "{}", sent.body);
        sent.location
    }

    /// The page at `path`, once it has `text`.
    pub(crate) async fn until(&self, path: &str, text: &str) -> Page {
        eventually(PATIENCE, || async {
            let page = self.get(path).await;
            let has = page.body.contains(text);
            if has { Ok(page) } else { Err(format!("{path} has no `{text}`:\n{}", page.body)) }
        })
        .await
    }

    pub(crate) async fn stop(mut self) {
        if let Some(running) = self.running.take() {
            running.stop().await;
        }
    }
}
