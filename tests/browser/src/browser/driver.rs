//! The one chromedriver of this process, and sessions at it.

use std::path::Path;

use http::Method;
use reqwest::Client;
use serde_json::{Value, json};
use testkit::{Process, eventually_every, free_addr};
use tokio::sync::OnceCell;

use super::{Options, PAUSE};
use crate::SOON;

/// For a machine without a desktop, where everything may run as root in a container.
const FLAGS: [&str; 8] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
    "--lang=en-US",
    "--force-color-profile=srgb",
];

/// Starts a browser with its profile in this folder; the address of its session.
pub(super) async fn session(client: &Client, profile: &Path, options: Options) -> String {
    let folder = format!("--user-data-dir={}", profile.display());
    let flags: Vec<&str> = FLAGS.into_iter().chain([folder.as_str()]).collect();
    // 2 is "block"; which of the two is heeded depends on the version.
    let prefs = if options.script {
        json!({})
    } else {
        json!({ "profile.managed_default_content_settings.javascript": 2,
                "profile.default_content_setting_values.javascript": 2 })
    };
    let logs = if options.remembers {
        json!({ "browser": "ALL", "performance": "ALL" })
    } else {
        json!({ "browser": "ALL" })
    };
    let wanted = json!({ "capabilities": { "alwaysMatch": {
        "browserName": "chrome",
        "timeouts": { "script": 60_000, "pageLoad": 60_000 },
        "goog:loggingPrefs": logs,
        "goog:chromeOptions": {
            "binary": testkit::chromium().expect("a test that says what it needs"),
            "args": flags,
            "prefs": prefs,
        },
    } } });
    let sessions = format!("{}/session", address(client).await);
    let session = call(client, Method::POST, &sessions, Some(&wanted)).await.expect("a browser");
    let id = session["sessionId"].as_str().expect("a session");
    format!("{sessions}/{id}")
}

/// Address of the one chromedriver of this process.
async fn address(client: &Client) -> &'static str {
    static DRIVER: OnceCell<(String, Process)> = OnceCell::const_new();
    let (address, _) = DRIVER
        .get_or_init(|| async {
            let port = free_addr().port();
            let program = testkit::chromedriver().expect("a test that says what it needs");
            let process = Process::start(&program.display().to_string(), &[&format!("--port={port}")]);
            let address = format!("http://127.0.0.1:{port}");
            eventually_every(PAUSE, SOON, || async {
                let answer = call(client, Method::GET, &format!("{address}/status"), None).await;
                match answer {
                    Ok(status) if status["ready"] == true => Ok(()),
                    other => Err(format!("{other:?}\n{}", process.output())),
                }
            })
            .await;
            (address, process)
        })
        .await;
    address
}

/// One command; the value of its answer, or its error in a line.
pub(super) async fn call(
    client: &Client,
    method: Method,
    url: &str,
    body: Option<&Value>,
) -> Result<Value, String> {
    let request = client.request(method, url);
    let request = if let Some(body) = body { request.json(body) } else { request };
    let answer = request.send().await.map_err(|error| error.to_string())?;
    let done = answer.status().is_success();
    let mut answer: Value = answer.json().await.map_err(|error| error.to_string())?;
    let value = answer["value"].take();
    if done {
        return Ok(value);
    }
    let message = value["message"].as_str().and_then(|text| text.lines().next()).unwrap_or_default();
    Err(format!("{}: {message}", value["error"].as_str().unwrap_or("an unknown error")))
}
