//! The control room, and a browser without scripts.

use std::time::Duration;

use chassis_service::lifecycle::Running;
use clap::Parser as _;
use control_room::{SERVICE, build, config::RoomConfig};
use reqwest::{Client, Method, RequestBuilder, redirect::Policy};
use serde_json::Value;
use testkit::eventually;

use crate::fakes::Fake;

/// Longest wait for something that happens by itself.
const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) struct Rig {
    running: Running,
    http: Client,
    pub(crate) orders: Fake,
    pub(crate) users: Fake,
    pub(crate) load: Fake,
    pub(crate) prometheus: Fake,
}

/// What came back.
pub(crate) struct Shown {
    pub(crate) status: u16,
    pub(crate) location: String,
    pub(crate) body: String,
}

/// Who looks.
#[derive(Clone, Copy)]
pub(crate) enum Who {
    Trainee,
    Instructor,
}

impl Rig {
    pub(crate) async fn start() -> Self {
        let (orders, users) = (Fake::service().await, Fake::service().await);
        let (load, prometheus) = (Fake::load().await, Fake::prometheus().await);
        let instances = format!(
            "order-api={},user-service={},user-service-2@user-service={}",
            orders.url(),
            users.url(),
            users.url()
        );
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../oncall.yaml");
        let config = RoomConfig::try_parse_from([
            "control-room",
            "--public-addr=127.0.0.1:0",
            "--admin-addr=127.0.0.1:0",
            &format!("--prometheus-url={}", prometheus.url()),
            // Nobody listens there without being root.
            "--alertmanager-url=http://127.0.0.1:1",
            &format!("--instances={instances}"),
            "--calls=order-api>user-service,order-api>broker,broker>order-worker",
            &format!("--load-admin-url={}", load.url()),
            &format!("--oncall={file}"),
        ]);
        let config = config.expect("valid flags");
        let chassis = config.common().chassis(SERVICE, &[], &[]);
        let app = build(&config, chassis).await.expect("a control room");
        let running = Running::start(app).await.expect("free ports");
        let http = Client::builder().redirect(Policy::none()).no_proxy().build().expect("a client");
        Self { running, http, orders, users, load, prometheus }
    }

    fn request(&self, who: Who, method: Method, path: &str) -> RequestBuilder {
        let url = format!("http://{}{path}", self.running.public.expect("a public port"));
        let request = self.http.request(method, url).header("x-person", "ada");
        match who {
            Who::Trainee => request,
            Who::Instructor => request.header("x-role", "instructor"),
        }
    }

    async fn send(request: RequestBuilder) -> Shown {
        let answer = request.send().await.expect("an answer");
        let location =
            answer.headers().get("location").and_then(|value| value.to_str().ok()).unwrap_or_default();
        let (status, location) = (answer.status().as_u16(), location.to_owned());
        Shown { status, location, body: answer.text().await.expect("a body") }
    }

    pub(crate) async fn get(&self, who: Who, path: &str) -> Shown {
        Self::send(self.request(who, Method::GET, path)).await
    }

    /// A page that must be there.
    pub(crate) async fn page(&self, who: Who, path: &str) -> String {
        let shown = self.get(who, path).await;
        assert_eq!(shown.status, 200, "{path}: {}", shown.body);
        shown.body
    }

    /// Sends a form of `page` with these fields.
    pub(crate) async fn form(&self, who: Who, page: &str, action: &str, fields: &[(&str, &str)]) -> Shown {
        let from = self.page(who, page).await;
        assert!(from.contains(&format!("action=\"{action}\"")), "{page} has no form for {action}");
        self.post(who, action, csrf(&from), fields).await
    }

    /// Sends a form, with this hidden field.
    pub(crate) async fn post(&self, who: Who, action: &str, csrf: &str, fields: &[(&str, &str)]) -> Shown {
        let body = serde_urlencoded::to_string([&[("csrf", csrf)][..], fields].concat()).expect("fields");
        let request = self.request(who, Method::POST, action);
        Self::send(request.header("content-type", "application/x-www-form-urlencoded").body(body)).await
    }

    /// Sends a form and follows its redirect.
    pub(crate) async fn done(&self, who: Who, page: &str, action: &str, fields: &[(&str, &str)]) -> String {
        let shown = self.form(who, page, action, fields).await;
        assert_eq!(shown.status, 303, "{action}: {}", shown.body);
        let path = shown.location.split('#').next().unwrap_or_default().to_owned();
        self.page(who, &path).await
    }

    /// Calls the API.
    pub(crate) async fn api(&self, method: Method, path: &str, body: Option<&Value>) -> Value {
        let request = self.request(Who::Trainee, method, path);
        let request = match body {
            Some(body) => request.header("content-type", "application/json").body(body.to_string()),
            None => request,
        };
        let shown = Self::send(request).await;
        assert!((200..300).contains(&shown.status), "{path}: {} {}", shown.status, shown.body);
        serde_json::from_str(&shown.body).unwrap_or_default()
    }

    /// The page, once it says so.
    pub(crate) async fn until(&self, who: Who, path: &str, said: &str) -> String {
        eventually(PATIENCE, || async {
            let page = self.page(who, path).await;
            if page.contains(said) { Ok(page) } else { Err(format!("{path} does not say `{said}`: {page}")) }
        })
        .await
    }

    pub(crate) async fn stop(self) {
        self.running.stop().await;
    }
}

/// The hidden field of the forms of a page.
pub(crate) fn csrf(page: &str) -> &str {
    between(page, "name=\"csrf\" value=\"", "\"")
}

/// The text between two others.
pub(crate) fn between<'t>(text: &'t str, before: &str, after: &str) -> &'t str {
    let rest = text.split_once(before).unwrap_or_else(|| panic!("`{before}` is missing: {text}")).1;
    rest.split_once(after).map_or(rest, |(found, _)| found)
}
