//! Ships the logs of the parts to Loki, through its push API: the same files that `lab logs` reads, so nothing else
//! must be installed. In compose and Kubernetes a log shipper does this.
//!
//! Streams have the labels `service` and `job`, both the name of the service, like its metrics, and `level`: instances of a
//! service share their streams. Lines are sent unchanged.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context, Result, bail};
use chrono::{DateTime, Utc};
use observe::logs::{Follower, Line};
use serde_json::{Value, json};
use supervisor::state::LabState;

use crate::{home::Home, parts::grafana::LOKI, terminal::say};

/// How often the logs are read.
const EVERY: Duration = Duration::from_secs(1);
/// Lines per request: about a tenth of the 4 MB that Loki accepts.
const BATCH: usize = 1000;
/// Lines kept while Loki does not answer; older ones are dropped, but remain in the files.
const KEPT: usize = 20_000;
/// Longest time for one request.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Ships until it is dropped. `port` is Loki's.
pub(crate) async fn ship(home: Home, port: u16) {
    let mut shipper = match Shipper::new(&home, port) {
        Ok(shipper) => shipper,
        Err(error) => return say(format!("lab: logs are not shipped to Loki: {error:#}")),
    };
    let mut tick = tokio::time::interval(EVERY);
    loop {
        tick.tick().await;
        shipper.step().await;
    }
}

/// The service of a part whose name is not that of its service.
type Services = BTreeMap<String, String>;

struct Shipper {
    follower: Follower,
    waiting: Vec<Line>,
    /// The services of the parts that are further instances of one.
    services: Services,
    client: reqwest::Client,
    url: String,
    /// Whether the last push failed, so that a failure is reported once.
    failing: bool,
}

impl Shipper {
    fn new(home: &Home, port: u16) -> Result<Self> {
        let state = LabState::load(&home.dir).ok().flatten();
        let parts = state.iter().flat_map(|state| &state.parts);
        let services =
            parts.filter_map(|part| Some((part.name.clone(), part.instance_of.clone()?))).collect();
        Ok(Self {
            follower: Follower::open(&home.dir.logs(), &[], state.map(|state| state.started_at))?,
            waiting: Vec::new(),
            services,
            client: reqwest::Client::builder().timeout(TIMEOUT).build()?,
            url: format!("http://127.0.0.1:{port}/loki/api/v1/push"),
            failing: false,
        })
    }

    /// Reads new lines and pushes the waiting ones, oldest first; what cannot be pushed waits for the next step.
    async fn step(&mut self) {
        // Loki's own lines would make it log even more.
        self.waiting.extend(self.follower.read().into_iter().filter(|line| line.part != LOKI));
        self.waiting.drain(..self.waiting.len().saturating_sub(KEPT));
        while !self.waiting.is_empty() {
            let batch = &self.waiting[..self.waiting.len().min(BATCH)];
            let size = batch.len();
            match self.push(batch).await {
                Ok(()) => self.failing = false,
                Err(error) => {
                    if !std::mem::replace(&mut self.failing, true) {
                        say(format!("lab: logs are waiting for Loki: {error:#}"));
                    }
                    return;
                }
            }
            self.waiting.drain(..size);
        }
    }

    /// # Errors
    /// When the push may succeed later. Lines that Loki rejects permanently are dropped.
    async fn push(&self, lines: &[Line]) -> Result<()> {
        let request = self.client.post(&self.url).json(&body(lines, &self.services, Utc::now()));
        let answer = request.send().await.context("no answer")?;
        let status = answer.status();
        let again = status.is_server_error() || status == reqwest::StatusCode::TOO_MANY_REQUESTS;
        if again {
            bail!("it answered {status}");
        }
        if !status.is_success() {
            let why = answer.text().await.unwrap_or_default();
            say(format!("lab: Loki rejected {} log lines ({status}): {}", lines.len(), why.trim()));
        }
        Ok(())
    }
}

/// The body of a push: one stream per service and level, times in nanoseconds. A line without a time gets `now`.
fn body(lines: &[Line], services: &Services, now: DateTime<Utc>) -> Value {
    let mut streams: BTreeMap<(&str, &str), Vec<Value>> = BTreeMap::new();
    for line in lines {
        let time = if line.time == DateTime::UNIX_EPOCH { now } else { line.time };
        let nanoseconds = time.timestamp_nanos_opt().unwrap_or_default().to_string();
        let service = services.get(&line.part).unwrap_or(&line.part);
        streams.entry((service, line.level)).or_default().push(json!([nanoseconds, line.text]));
    }
    let streams: Vec<_> = streams
        .into_iter()
        .map(|((name, level), values)| {
            json!({ "stream": { "service": name, "job": name, "level": level }, "values": values })
        })
        .collect();
    json!({ "streams": streams })
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    use super::*;
    use supervisor::logfile;

    /// Answers one request with `status`; returns its body.
    async fn answer(listener: &TcpListener, status: &str) -> Value {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = Vec::new();
        loop {
            let mut piece = [0; 4096];
            let read = stream.read(&mut piece).await.unwrap();
            request.extend_from_slice(&piece[..read]);
            let text = String::from_utf8_lossy(&request).into_owned();
            let Some((_, body)) = text.split_once("\r\n\r\n") else { continue };
            if let Ok(body) = serde_json::from_str(body) {
                let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
                stream.write_all(answer.as_bytes()).await.unwrap();
                return body;
            }
        }
    }

    #[tokio::test]
    async fn lines_wait_while_loki_fails_and_arrive_once_it_answers() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home {
            root: folder.path().to_path_buf(),
            dir: supervisor::Folder::at(folder.path()),
            token: None,
        };
        home.create().unwrap();
        let line = r#"{"timestamp":"2026-11-21T06:17:01.123Z","level":"ERROR","message":"request failed"}"#;
        for (part, text) in [("order-api", line), (LOKI, "level=warn msg=own")] {
            writeln!(logfile::open(&home.dir.log(part)).unwrap(), "{text}").unwrap();
        }
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut shipper = Shipper::new(&home, listener.local_addr().unwrap().port()).unwrap();

        let (first, ()) = tokio::join!(answer(&listener, "503 Service Unavailable"), shipper.step());
        assert_eq!((shipper.waiting.len(), shipper.failing), (1, true));
        let (second, ()) = tokio::join!(answer(&listener, "204 No Content"), shipper.step());
        assert_eq!((shipper.waiting.len(), shipper.failing), (0, false));
        let expected = json!({ "streams": [{
            "stream": { "service": "order-api", "job": "order-api", "level": "ERROR" },
            "values": [["1795241821123000000", line]],
        }] });
        assert_eq!([&first, &second], [&expected, &expected], "the same line twice, none of Loki's own");
    }

    #[test]
    fn a_line_without_a_time_gets_the_current_time() {
        let now = DateTime::from_timestamp(5, 7).unwrap();
        let line = observe::logs::parse("redis", "started", DateTime::UNIX_EPOCH);
        assert_eq!(
            body(&[line], &Services::new(), now)["streams"][0]["values"][0],
            json!(["5000000007", "started"])
        );
    }

    #[test]
    fn instances_of_a_service_share_its_stream() {
        let services = Services::from([("order-api-2".to_owned(), "order-api".to_owned())]);
        let line = |part: &str| observe::logs::parse(part, "started", DateTime::UNIX_EPOCH);
        let body = body(&[line("order-api"), line("order-api-2")], &services, Utc::now());
        assert_eq!(body["streams"].as_array().map(Vec::len), Some(1), "{body}");
        let labels = json!({ "service": "order-api", "job": "order-api", "level": "INFO" });
        assert_eq!(body["streams"][0]["stream"], labels);
        assert_eq!(body["streams"][0]["values"].as_array().map(Vec::len), Some(2));
    }

    #[test]
    fn a_part_has_a_stream_per_level_whatever_the_format_of_its_lines() {
        let lines = [
            ("postgres", "2026-11-21 06:17:01.123 UTC [42] ERROR:  deadlock detected"),
            ("postgres", "2026-11-21 06:17:01.124 UTC [42] LOG:  checkpoint starting"),
            ("prometheus", "ts=2026-11-21T06:17:01.125Z level=warn msg=slow"),
            ("postgres", "2026-11-21 06:17:01.126 UTC [43] FATAL:  terminating connection"),
        ];
        let lines = lines.map(|(part, text)| observe::logs::parse(part, text, DateTime::UNIX_EPOCH));
        let body = body(&lines, &Services::new(), DateTime::UNIX_EPOCH);
        let streams = body["streams"].as_array().unwrap().iter();
        let streams: Vec<_> = streams
            .map(|stream| {
                let labels = &stream["stream"];
                let count = stream["values"].as_array().map_or(0, Vec::len);
                (labels["service"].as_str().unwrap(), labels["level"].as_str().unwrap(), count)
            })
            .collect();
        assert_eq!(streams, [("postgres", "ERROR", 2), ("postgres", "INFO", 1), ("prometheus", "WARN", 1)]);
    }
}
