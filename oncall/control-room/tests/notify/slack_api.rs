//! Slack's Web API as its documentation has it: checks token, content type, arguments and limits of every call.

use std::{collections::VecDeque, sync::Arc};

use axum::{
    Json, Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, Uri},
    response::{IntoResponse as _, Response},
};
use parking_lot::Mutex;
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;

use crate::{
    limits::check,
    receiver::{Does, answer},
};

const TOKEN: &str = "xoxb-test";

/// Methods with the arguments that they must have, and those that they may have.
const METHODS: [(&str, &[&str], &[&str]); 9] = [
    ("conversations.create", &["name", "is_private"], &[]),
    ("conversations.list", &["types", "exclude_archived", "limit"], &["cursor"]),
    ("conversations.setTopic", &["channel", "topic"], &[]),
    ("conversations.invite", &["channel", "users"], &[]),
    ("conversations.archive", &["channel"], &[]),
    ("conversations.open", &["users"], &[]),
    ("chat.postMessage", &["channel", "text", "unfurl_links"], &["blocks", "attachments"]),
    ("chat.update", &["channel", "ts", "text"], &["blocks", "attachments"]),
    ("/services/hook", &["text"], &["blocks", "attachments"]),
];

/// A call.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) method: String,
    pub(crate) arguments: Value,
}

/// The API.
#[derive(Clone)]
pub(crate) struct Slack {
    url: String,
    calls: Arc<Mutex<Vec<Call>>>,
    wrong: Arc<Mutex<Vec<String>>>,
    script: Arc<Mutex<VecDeque<(&'static str, Does)>>>,
}

impl Slack {
    /// Does these in turn, each with the next call of its method, and otherwise what it was asked for.
    pub(crate) async fn start(script: impl IntoIterator<Item = (&'static str, Does)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let script = Arc::new(Mutex::new(script.into_iter().collect()));
        let slack = Self { url, calls: Arc::default(), wrong: Arc::default(), script };
        let routes = Router::new().fallback(take).with_state(slack.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        slack
    }

    /// Flags of a control room with a bot.
    pub(crate) fn bot(&self) -> Vec<String> {
        vec![
            "--slack-token".to_owned(),
            TOKEN.to_owned(),
            "--slack-url".to_owned(),
            format!("{}/api", self.url),
        ]
    }

    /// Flags of a control room with an incoming webhook.
    pub(crate) fn hook(&self) -> Vec<String> {
        vec!["--slack-webhook".to_owned(), format!("{}/services/hook", self.url)]
    }

    /// The calls of a method so far.
    pub(crate) fn calls(&self, method: &str) -> Vec<Value> {
        let calls = self.calls.lock();
        calls.iter().filter(|call| call.method == method).map(|call| call.arguments.clone()).collect()
    }

    /// The methods that were called, in order.
    pub(crate) fn methods(&self) -> Vec<String> {
        self.calls.lock().iter().map(|call| call.method.clone()).collect()
    }

    /// Asserts that every call was as documented.
    #[track_caller]
    pub(crate) fn was_called_correctly(&self) {
        assert_eq!(*self.wrong.lock(), Vec::<String>::new());
    }
}

async fn take(State(slack): State<Slack>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let method = uri.path().trim_start_matches("/api/").to_owned();
    let arguments = match read(&method, &headers, &body) {
        Ok(arguments) => arguments,
        Err(why) => {
            slack.wrong.lock().push(format!("{method}: {why}"));
            return Json(json!({"ok": false, "error": "invalid_arguments"})).into_response();
        }
    };
    slack.calls.lock().push(Call { method: method.clone(), arguments: arguments.clone() });
    let scripted = {
        let mut script = slack.script.lock();
        let place = script.iter().position(|(of, _)| *of == method);
        place.and_then(|place| script.remove(place))
    };
    match scripted {
        Some((_, does)) => answer(does).await,
        None if method == "/services/hook" => "ok".into_response(),
        None => Json(done(&slack, &method)).into_response(),
    }
}

fn done(slack: &Slack, method: &str) -> Value {
    let number = slack.calls.lock().len();
    match method {
        "conversations.create" => json!({"ok": true, "channel": {"id": "C1"}}),
        "conversations.list" => {
            let created = slack.calls("conversations.create");
            let channels = created.iter().map(|asked| json!({"id": "C-found", "name": asked["name"]}));
            json!({"ok": true, "channels": channels.collect::<Vec<_>>()})
        }
        "conversations.open" => json!({"ok": true, "channel": {"id": "D1"}}),
        "chat.postMessage" => json!({"ok": true, "ts": format!("1700000000.{number:06}")}),
        _ => json!({"ok": true}),
    }
}

fn read(method: &str, headers: &HeaderMap, body: &[u8]) -> Result<Value, String> {
    let header =
        |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let hook = method == "/services/hook";
    if !hook && header("authorization") != format!("Bearer {TOKEN}") {
        return Err("the bot's token is missing".to_owned());
    }
    let arguments: Map<String, Value> = match (method, &*header("content-type")) {
        ("conversations.list", "application/x-www-form-urlencoded") => {
            let pairs: Vec<(String, String)> =
                serde_urlencoded::from_bytes(body).map_err(|error| error.to_string())?;
            pairs.into_iter().map(|(name, value)| (name, Value::from(value))).collect()
        }
        ("conversations.list", kind) => return Err(format!("methods that read take forms, not {kind}")),
        (_, "application/json; charset=utf-8") if !hook => {
            serde_json::from_slice(body).map_err(|error| error.to_string())?
        }
        (_, "application/json") if hook => serde_json::from_slice(body).map_err(|error| error.to_string())?,
        (_, kind) => return Err(format!("the content type is `{kind}`")),
    };
    let known = METHODS.iter().find(|(name, ..)| *name == method);
    let (_, must, may) = known.ok_or_else(|| "there is no such method".to_owned())?;
    if let Some(missing) = must.iter().find(|name| !arguments.contains_key(**name)) {
        return Err(format!("`{missing}` is missing"));
    }
    if let Some(other) =
        arguments.keys().find(|name| !must.contains(&name.as_str()) && !may.contains(&name.as_str()))
    {
        return Err(format!("`{other}` is unknown"));
    }
    let arguments = Value::Object(arguments);
    values(method, &arguments)?;
    Ok(arguments)
}

fn values(method: &str, arguments: &Value) -> Result<(), String> {
    let text = |name: &str| arguments[name].as_str().unwrap_or_default();
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    match method {
        "conversations.create" if text("name").len() > 80 || !text("name").chars().all(allowed) => {
            Err(format!("no channel can be named `{}`", text("name")))
        }
        "conversations.setTopic" if text("topic").chars().count() > 250 => {
            Err("the topic is too long".to_owned())
        }
        "conversations.invite" | "conversations.open" if !text("users").starts_with('U') => {
            Err(format!("`{}` is no member", text("users")))
        }
        "chat.postMessage" | "chat.update" | "/services/hook" => check(arguments),
        _ => Ok(()),
    }
}
