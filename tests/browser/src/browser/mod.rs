//! Chromium through chromedriver: as much of WebDriver (<https://www.w3.org/TR/webdriver2/>) as these tests need, over plain HTTP
//! to this machine.
//!
//! One chromedriver serves the tests of a process; each test has a browser with an empty profile. Every wait has a deadline. The
//! driver ends with the test process, however that happens, and takes its browsers along.

mod driver;

use std::{panic::AssertUnwindSafe, path::PathBuf, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use futures::FutureExt as _;
use http::Method;
use reqwest::Client;
use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::eventually_every;

use crate::{SOON, root};

/// Between two looks at a page.
const PAUSE: Duration = Duration::from_millis(100);
/// Under this name an answer has the id of an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// What is special about a browser.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Whether pages may run scripts.
    pub script: bool,
    /// Whether it remembers every request that a page sends, for [`Browser::requests`].
    pub remembers: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { script: true, remembers: false }
    }
}

/// A browser with one window.
pub struct Browser {
    client: Client,
    /// Address of its session at the driver.
    session: String,
    base: String,
    _profile: TempDir,
}

/// Runs a test in a browser that is at `base`, a control room. If it fails, a picture of the page is kept in `target/browser`.
///
/// # Panics
/// When the test does.
pub async fn with_browser(base: &str, options: Options, test: impl AsyncFnOnce(&Browser)) {
    let browser = Browser::start(base, options).await;
    let end = AssertUnwindSafe(test(&browser)).catch_unwind().await;
    if end.is_err() {
        browser.keep_picture().await;
    }
    let _ = browser.call(Method::DELETE, "", None).await;
    if let Err(panic) = end {
        std::panic::resume_unwind(panic);
    }
}

impl Browser {
    async fn start(base: &str, options: Options) -> Self {
        let client = Client::builder().no_proxy().timeout(Duration::from_secs(120)).build().unwrap();
        let profile = tempfile::Builder::new().prefix("browser-").tempdir().unwrap();
        let session = driver::session(&client, profile.path(), options).await;
        let browser = Self { client, session, base: base.to_owned(), _profile: profile };
        browser.size(1440, 900).await;
        browser
    }

    async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, String> {
        driver::call(&self.client, method, &format!("{}{path}", self.session), body).await
    }

    async fn post(&self, path: &str, body: &Value) -> Result<Value, String> {
        self.call(Method::POST, path, Some(body)).await
    }

    async fn get(&self, path: &str) -> Result<Value, String> {
        self.call(Method::GET, path, None).await
    }

    /// Opens a page of the control room.
    pub async fn go(&self, path: &str) {
        let url = format!("{}{path}", self.base);
        self.post("/url", &json!({ "url": url })).await.unwrap_or_else(|error| panic!("{path}: {error}"));
    }

    /// Loads the page again.
    pub async fn reload(&self) {
        self.post("/refresh", &json!({})).await.expect("the page once more");
    }

    /// Path and query of the page that is shown, or why that is not known.
    pub async fn place(&self) -> String {
        match self.get("/url").await {
            Ok(url) => {
                let url = url.as_str().unwrap_or_default();
                url.strip_prefix(&self.base).unwrap_or(url).to_owned()
            }
            Err(error) => error,
        }
    }

    /// The id of the first element that matches the XPath and is displayed.
    ///
    /// # Errors
    /// When there is none now.
    pub async fn shown(&self, xpath: &str) -> Result<String, String> {
        let found = self.post("/elements", &json!({ "using": "xpath", "value": xpath })).await?;
        for element in found.as_array().into_iter().flatten() {
            let id = element[ELEMENT].as_str().unwrap_or_default();
            if self.get(&format!("/element/{id}/displayed")).await? == true {
                return Ok(id.to_owned());
            }
        }
        Err(format!("{} shows no {xpath}", self.place().await))
    }

    /// Waits until an element is displayed.
    pub async fn see(&self, xpath: &str) {
        eventually_every(PAUSE, SOON, || async { self.shown(xpath).await.map(drop) }).await;
    }

    /// As [`Browser::see`], for pages that nothing but loading them again refreshes.
    pub async fn see_after_reload(&self, xpath: &str) {
        eventually_every(PAUSE, SOON, || async {
            let shown = self.shown(xpath).await;
            if shown.is_err() {
                self.reload().await;
            }
            shown.map(drop)
        })
        .await;
    }

    /// Waits for an element and clicks it. What a refresh replaces meanwhile is looked for again.
    pub async fn click(&self, xpath: &str) {
        eventually_every(PAUSE, SOON, || async {
            let id = self.shown(xpath).await?;
            self.post(&format!("/element/{id}/click"), &json!({})).await.map(drop)
        })
        .await;
    }

    /// Waits for a field and types into it, after what is in it.
    pub async fn write(&self, xpath: &str, text: &str) {
        eventually_every(PAUSE, SOON, || async {
            let id = self.shown(xpath).await?;
            self.post(&format!("/element/{id}/value"), &json!({ "text": text })).await.map(drop)
        })
        .await;
    }

    /// Presses a key, wherever the focus is; several, one after another.
    pub async fn press(&self, keys: &str) {
        let stroke = |key: char| {
            let key = key.to_string();
            [json!({ "type": "keyDown", "value": key }), json!({ "type": "keyUp", "value": key })]
        };
        let strokes: Vec<Value> = keys.chars().flat_map(stroke).collect();
        let hands = json!({ "actions": [{ "type": "key", "id": "keyboard", "actions": strokes }] });
        self.post("/actions", &hands).await.expect("a keyboard");
    }

    /// Runs a script; what it returns. The page's policy does not apply to it.
    pub async fn run(&self, script: &str, arguments: &[Value]) -> Value {
        let body = json!({ "script": script, "args": arguments });
        self.post("/execute/sync", &body).await.unwrap_or_else(|error| panic!("{error} in {script:.200}"))
    }

    /// Runs a script that calls its last argument with its result.
    pub async fn run_async(&self, script: &str, arguments: &[Value]) -> Value {
        let body = json!({ "script": script, "args": arguments });
        self.post("/execute/async", &body).await.unwrap_or_else(|error| panic!("{error} in {script:.200}"))
    }

    /// Makes the window this large, whatever the smallest size of a window is.
    pub async fn size(&self, width: u32, height: u32) {
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.tool("Emulation.setDeviceMetricsOverride", &size).await;
    }

    /// Prefers dark or light pages, as a system does.
    pub async fn prefer(&self, scheme: &str) {
        let feature = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.tool("Emulation.setEmulatedMedia", &feature).await;
    }

    /// A command of the developer tools (<https://chromedevtools.github.io/devtools-protocol/>).
    async fn tool(&self, command: &str, parameters: &Value) {
        let body = json!({ "cmd": command, "params": parameters });
        self.post("/goog/cdp/execute", &body).await.unwrap_or_else(|error| panic!("{command}: {error}"));
    }

    /// Enters as the instructor, unless it is one.
    pub async fn become_instructor(&self) {
        self.go("/login").await;
        let enter = "//button[normalize-space(.)='Enter as instructor']";
        if self.shown(enter).await.is_ok() {
            self.click(enter).await;
        } else {
            self.go("/").await;
        }
        self.see("//nav//a[normalize-space(.)='Faults']").await;
    }

    /// Forgets who it was.
    pub async fn leave(&self) {
        self.call(Method::DELETE, "/cookie", None).await.expect("no cookies");
    }

    /// A picture of the window, as PNG.
    ///
    /// # Errors
    /// When the browser does not answer.
    pub async fn picture(&self) -> Result<Vec<u8>, String> {
        let picture = self.get("/screenshot").await?;
        STANDARD.decode(picture.as_str().unwrap_or_default()).map_err(|error| error.to_string())
    }

    /// Errors of the console since the last look: of scripts, of the content security policy, of files that are missing.
    pub async fn complaints(&self) -> Vec<String> {
        let entries = self.log("browser").await;
        let severe = entries.iter().filter(|entry| entry["level"] == "SEVERE");
        severe.map(|entry| entry["message"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// Addresses of all requests since the last look, but those of the browser's own first page.
    pub async fn requests(&self) -> Vec<String> {
        let entries = self.log("performance").await;
        let messages = entries.iter().filter_map(|entry| entry["message"].as_str());
        let events = messages.filter_map(|text| serde_json::from_str::<Value>(text).ok());
        let asked = events.filter_map(|event| asked(&event["message"]));
        asked.filter(|address| !address.starts_with("chrome://")).collect()
    }

    async fn log(&self, kind: &str) -> Vec<Value> {
        let entries = self.post("/se/log", &json!({ "type": kind })).await.expect("a log");
        entries.as_array().cloned().unwrap_or_default()
    }

    /// Keeps what a failed test has seen, under the test's name.
    async fn keep_picture(&self) {
        let folder: PathBuf = root().join("target/browser");
        let test = std::thread::current().name().unwrap_or("test").replace("::", "-");
        let file = folder.join(format!("{test}.png"));
        let kept = match self.picture().await {
            Ok(picture) => std::fs::create_dir_all(&folder).and_then(|()| std::fs::write(&file, picture)),
            Err(error) => Err(std::io::Error::other(error)),
        };
        match kept {
            Ok(()) => eprintln!("at {}: see {}", self.place().await, file.display()),
            Err(error) => eprintln!("no picture of the page: {error}"),
        }
    }
}

/// The address that an event of the developer tools asks for, if it is about a request.
fn asked(event: &Value) -> Option<String> {
    let address = match event["method"].as_str()? {
        "Network.requestWillBeSent" => &event["params"]["request"]["url"],
        "Network.webSocketCreated" => &event["params"]["url"],
        _ => return None,
    };
    address.as_str().map(str::to_owned)
}
