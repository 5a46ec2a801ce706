//! A cluster of fakes: helm and kubectl on PATH, and one server for the edges, Prometheus and the control room.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use release::{Run, run::Event, view::news};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::fakes::fakes;

/// Requests per second to each of canary and baseline: enough for a step in the ten seconds that a measurement of CPU takes.
const RATE: f64 = 400.0;
/// Longest wait for something that takes a second.
const PATIENCE: Duration = Duration::from_secs(60);

/// What is in the cluster.
pub(crate) struct Cluster {
    folder: TempDir,
    url: String,
    /// What the control room was told: the events of a release.
    events: Arc<Mutex<Vec<Event>>>,
}

/// How it goes.
#[derive(Clone, Copy)]
pub(crate) struct Weather {
    /// Share of the canary's requests that fail.
    pub(crate) failing: f64,
    /// Share of the canary's orders with a wrong total; three of ten requests place one.
    pub(crate) wrong: f64,
    /// What is left of each error budget.
    pub(crate) budget: f64,
}

/// A version like the old one, and budgets that are left.
pub(crate) const GOOD: Weather = Weather { failing: 0.0, wrong: 0.0, budget: 0.5 };

impl Cluster {
    pub(crate) fn start(weather: Weather) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        for (name, text) in
            [("service", ""), ("tag", ""), ("weight", "0"), ("own", ""), ("applied", "0"), ("helm.calls", "")]
        {
            fs::write(folder.path().join(name), text).unwrap();
        }
        fakes(folder.path(), port);
        let (events, begun) = (Arc::new(Mutex::new(Vec::new())), Instant::now());
        let (told, place) = (Arc::clone(&events), folder.path().to_owned());
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (told, place) = (Arc::clone(&told), place.clone());
                thread::spawn(move || serve(&stream, &place, &told, weather, begun.elapsed().as_secs_f64()));
            }
        });
        Self { folder, url: format!("http://127.0.0.1:{port}"), events }
    }

    /// `lab release` with these arguments, as ada.
    pub(crate) fn lab(&self, args: &[&str]) -> Command {
        self.lab_as("ada", args)
    }

    /// The same, as somebody else.
    pub(crate) fn lab_as(&self, person: &str, args: &[&str]) -> Command {
        let path = format!("{}:{}", self.folder.path().display(), std::env::var("PATH").unwrap());
        let mut lab = Command::new(env!("CARGO_BIN_EXE_lab"));
        lab.args(["--context", "kind-x", "--dir"]).arg(self.folder.path().join("lab"));
        lab.args(["--prometheus", &self.url, "--control-room", &self.url, "release", "--as", person])
            .args(args);
        lab.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("..")).env("PATH", path);
        lab.env_remove("FAULTS_TOKEN")
            .env_remove("CONTROL_ROOM_TOKEN")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        lab
    }

    pub(crate) fn release(&self) -> Command {
        self.lab(&["start", "order-api", "--version", "v2", "--why", "Faster orders", "--hold", "1s"])
    }

    /// What helm was told to change, in short.
    pub(crate) fn steps(&self) -> Vec<String> {
        let calls = fs::read_to_string(self.folder.path().join("helm.calls")).unwrap();
        calls.lines().filter(|call| call.contains(" upgrade ")).map(brief).collect()
    }

    /// What the control room would say of what it was told: every event, each once, in order.
    pub(crate) fn told(&self) -> String {
        let events = self.events.lock().unwrap();
        let (first, rest) = events.split_first().expect("the start of a release");
        let mut run = Run::start(first).unwrap();
        let said = rest.iter().filter_map(|event| {
            run.apply(event).unwrap();
            news(&run, event)
        });
        let said = said.collect::<Vec<_>>().join("\n");
        assert!(run.end().is_some(), "it was not told the end: {said}");
        said
    }

    /// The file of the events, locked by who writes.
    pub(crate) fn journal(&self) -> fs::File {
        fs::File::open(self.folder.path().join("lab/releases/kind-x@sre-lab.jsonl")).unwrap()
    }

    pub(crate) fn until(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        let end = Instant::now() + PATIENCE;
        while !holds(self) {
            assert!(
                Instant::now() < end,
                "{what}: not within {} s; helm: {:?}",
                PATIENCE.as_secs(),
                self.steps()
            );
            thread::sleep(Duration::from_millis(50));
        }
    }
}

/// An upgrade in two words. Only the way forward waits, and is taken back by helm if a pod does not become ready.
fn brief(call: &str) -> String {
    assert!(call.starts_with("--kube-context kind-x --namespace sre-lab upgrade sre-lab "), "{call}");
    assert!(call.contains(" --reuse-values "), "{call}");
    let after =
        |name: &str| call.split_once(name).map(|(_, rest)| rest.split([' ', ',']).next().unwrap().to_owned());
    if let Some(tag) = after("services.order-api.tag=") {
        return format!("tag {tag}");
    }
    let weight = after("release.weight=").unwrap();
    if after("release.service=").unwrap().is_empty() {
        assert!(!call.contains("--atomic") && weight == "0", "{call}");
        return "gone".to_owned();
    }
    assert!(call.contains("release.service=order-api,release.tag=v2"), "{call}");
    assert!(weight == "0" || call.contains(" --atomic "), "{call}");
    format!("weight {weight}")
}

/// Answers one request: as Prometheus, as an edge, or as the control room, by its path.
fn serve(stream: &TcpStream, folder: &Path, told: &Mutex<Vec<Event>>, weather: Weather, seconds: f64) {
    let mut reader = BufReader::new(stream);
    let (mut first, mut length, mut person) = (String::new(), 0, None);
    reader.read_line(&mut first).unwrap();
    for line in reader.by_ref().lines().map_while(Result::ok).take_while(|line| !line.is_empty()) {
        let line = line.to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        person = line.strip_prefix("x-person:").map(|name| name.trim().to_owned()).or(person);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let answer = if first.starts_with("POST /reload ") {
        routes(folder)
    } else if first.starts_with("PUT /api/v1/releases/REL-1/events ") {
        json!({ "known": take(&mut told.lock().unwrap(), &body, person.as_deref()) })
    } else if first.starts_with("GET /api/v1/releases?") {
        json!({ "releases": [] })
    } else if first.starts_with("GET /api/v1/alerts ") {
        json!({ "status": "success", "data": { "alerts": [] } })
    } else {
        json!({ "status": "success", "data": { "resultType": "vector", "result": query(&first, weather, seconds) } })
    };
    let answer = answer.to_string();
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        answer.len()
    );
    // A command that was killed does not listen.
    let mut back = stream;
    let _ = back.write_all(format!("{head}{answer}").as_bytes());
}

/// Takes events as the control room does: those that are known are left out, and nobody signs for another.
fn take(known: &mut Vec<Event>, body: &[u8], person: Option<&str>) -> usize {
    let mut body: Value = serde_json::from_slice(body).unwrap();
    let from = usize::try_from(body["from"].as_u64().unwrap()).unwrap();
    let events: Vec<Event> = serde_json::from_value(body["events"].take()).unwrap();
    if let Some(behind) = known.len().checked_sub(from) {
        let own = |event: &Event| event.what.signed().iter().all(|name| Some(*name) == person);
        known.extend(events.into_iter().skip(behind).take_while(own));
    }
    known.len()
}

/// What an edge says about its routes.
fn routes(folder: &Path) -> Value {
    let weight: u32 = fs::read_to_string(folder.join("applied")).unwrap().parse().unwrap();
    let orders = if weight == 0 {
        json!([{ "upstream": "order-api", "weight": 1 }])
    } else {
        json!([{ "upstream": "order-api", "weight": 100 - 2 * weight }, { "upstream": "order-api-baseline", "weight": weight },
            { "upstream": "order-api-canary", "weight": weight }])
    };
    let users = json!([{ "upstream": "user-service", "weight": 1 }]);
    json!({ "problems": [], "routes": [{ "name": "orders", "to": orders }, { "name": "users", "to": users }] })
}

/// What Prometheus answers; the query is still encoded in the first line of the request.
fn query(first: &str, weather: Weather, seconds: f64) -> Vec<Value> {
    let sample =
        |labels: Value, value: f64| json!({ "metric": labels, "value": [1_700_000_000, value.to_string()] });
    let named = |name: &str, value: f64| sample(json!({ "__name__": name }), value);
    let all = (RATE * seconds).floor();
    if first.contains("slo_info") {
        return vec![sample(json!({ "__name__": "slo_info", "clock": "lab" }), 1.0)];
    }
    if first.contains("slo%3A") {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../dashboards/slos");
        let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let budget = |path: PathBuf| {
            let slo = path.file_stem().unwrap().to_str().unwrap().to_owned();
            sample(json!({ "__name__": "slo:error_budget_remaining:ratio", "slo": slo }), weather.budget)
        };
        return names.map(budget).collect();
    }
    if first.contains("sum%28") {
        return vec![sample(json!({}), 20.0 * all)];
    }
    let canary = first.contains("order-api-canary-");
    assert!(canary || first.contains("order-api-baseline-"), "{first}");
    let failed = if canary { (all * weather.failing).floor() } else { 0.0 };
    let requests = |status: &str, value: f64| {
        sample(json!({ "__name__": "http_requests_total", "endpoint": "/orders", "status": status }), value)
    };
    let within =
        |bound: &str| sample(json!({ "__name__": "http_request_duration_seconds_bucket", "le": bound }), all);
    let orders = (all * 0.3).floor();
    let mistaken = if canary { (orders * weather.wrong).floor() } else { 0.0 };
    let checked = |result: &str, value: f64| {
        let worker = json!({ "__name__": "order_totals_checked_total", "instance": "10.0.0.7:9103", "result": result });
        sample(worker, value)
    };
    assert!(first.contains("order_totals_checked_total"), "{first}");
    vec![
        checked("match", orders - mistaken),
        checked("mismatch", mistaken),
        requests("202", all - failed),
        requests("500", failed),
        within("0.1"),
        within("0.25"),
        within("1"),
        named("http_request_duration_seconds_count", all),
        named("process_start_time_seconds", 1_600_000_000.0),
        named("process_cpu_seconds_total", all / 1000.0),
        named("process_resident_memory_bytes", 25e6),
    ]
}

pub(crate) fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}
