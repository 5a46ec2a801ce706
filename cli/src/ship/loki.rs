//! Ships the logs of the parts to Loki, through its push API: the same files that `lab logs` reads, so nothing else
//! must be installed. In compose and Kubernetes a log shipper does this.
//!
//! Streams have the labels `service` and `job`, both the part's name, like its metrics. Lines are sent unchanged.

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

struct Shipper {
    follower: Follower,
    waiting: Vec<Line>,
    client: reqwest::Client,
    url: String,
    /// Whether the last push failed, so that a failure is reported once.
    failing: bool,
}

impl Shipper {
    fn new(home: &Home, port: u16) -> Result<Self> {
        let began = LabState::load(&home.dir).ok().flatten().map(|state| state.started_at);
        Ok(Self {
            follower: Follower::open(&home.dir.logs(), &[], began)?,
            waiting: Vec::new(),
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
        let request = self.client.post(&self.url).json(&body(lines, Utc::now()));
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

/// The body of a push: one stream per part, times in nanoseconds. A line without a time gets `now`.
fn body(lines: &[Line], now: DateTime<Utc>) -> Value {
    let mut streams: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    for line in lines {
        let time = if line.time == DateTime::UNIX_EPOCH { now } else { line.time };
        let nanoseconds = time.timestamp_nanos_opt().unwrap_or_default().to_string();
        streams.entry(&line.part).or_default().push(json!([nanoseconds, line.text]));
    }
    let streams: Vec<_> = streams
        .into_iter()
        .map(|(part, values)| json!({ "stream": { "service": part, "job": part }, "values": values }))
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
            "stream": { "service": "order-api", "job": "order-api" },
            "values": [["1795241821123000000", line]],
        }] });
        assert_eq!([&first, &second], [&expected, &expected], "the same line twice, none of Loki's own");
    }

    #[test]
    fn a_line_without_a_time_gets_the_current_time() {
        let now = DateTime::from_timestamp(5, 7).unwrap();
        let line = observe::logs::parse("redis", "started", DateTime::UNIX_EPOCH);
        assert_eq!(body(&[line], now)["streams"][0]["values"][0], json!(["5000000007", "started"]));
    }
}
