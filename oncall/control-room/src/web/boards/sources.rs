//! Queries to Prometheus, Loki and the trace store: to each at most six at a time of all pages together, each with its own
//! time once it is its turn, and remembered for a moment: a page and the charts on it ask for the same. So what is slow comes
//! late, and only what hangs is an error. What is known of one store is not held against another.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use boards::{
    data::{self, Exemplar, Series},
    draw::Call,
    model::{Query, Source},
    range,
};
use serde_json::Value;
use tokio::time::{Instant, timeout, timeout_at};

use super::common::{Common, Peers, Store};
use crate::room::Room;

/// Longest wait for all queries of a page. Less than a page may take: `config::SLOWEST`.
pub(crate) const PAGE: Duration = Duration::from_secs(15);
/// Longest wait for one query, from when it is its turn.
const QUERY: Duration = Duration::from_secs(6);
/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Trouble {
    /// In a few words.
    pub(crate) title: String,
    /// What was said, and what to do.
    pub(crate) detail: String,
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.title, self.detail)
    }
}

/// The sources of one page.
pub(crate) struct Sources {
    peers: Arc<Peers>,
    common: Common,
    deadline: Instant,
    heard: Each,
}

/// How each store has answered this page.
#[derive(Debug, Default)]
struct Each {
    prometheus: Heard,
    jaeger: Heard,
    loki: Heard,
}

/// Whether a query had no answer in time, and whether any had one. A connection that was refused is neither.
#[derive(Debug, Default)]
struct Heard {
    late: AtomicBool,
    answered: AtomicBool,
}

impl Heard {
    /// Whether a query had all of its time, and no other one was answered meanwhile: what waits for its turn need not wait
    /// as long again.
    fn is_silence(&self) -> bool {
        self.late.load(Relaxed) && !self.answered.load(Relaxed)
    }
}

/// A store, and how it has answered.
type Asked<'s> = (&'s Store, &'s Heard);

impl Sources {
    /// Those of the room, until the deadline.
    pub(crate) fn of(room: &Room, common: &Common, deadline: Instant) -> Self {
        Self { peers: common.peers(room), common: common.clone(), deadline, heard: Each::default() }
    }

    fn prometheus(&self) -> Asked<'_> {
        (&self.peers.prometheus, &self.heard.prometheus)
    }

    /// Values over time, at multiples of the step.
    pub(crate) async fn range(
        &self,
        query: (&Query, usize),
        expr: &str,
        (from, until): (f64, f64),
        step: f64,
    ) -> Result<Vec<Series>, Trouble> {
        let (start, end, step) = (from.to_string(), until.to_string(), step.to_string());
        let pairs = [("query", expr), ("start", &start), ("end", &end), ("step", &step)];
        let found = self.series(self.prometheus(), "/api/v1/query_range", &pairs, query.0).await?;
        Ok(numbered(&found, query.1))
    }

    /// Values at an instant.
    pub(crate) async fn instant(
        &self,
        query: (&Query, usize),
        expr: &str,
        at: f64,
    ) -> Result<Vec<Series>, Trouble> {
        let time = at.to_string();
        let pairs = [("query", expr), ("time", &time)];
        let found = self.series(self.prometheus(), "/api/v1/query", &pairs, query.0).await?;
        Ok(numbered(&found, query.1))
    }

    /// What Loki counts in lines.
    pub(crate) async fn counted(
        &self,
        query: (&Query, usize),
        expr: &str,
        (from, until): (f64, f64),
        step: f64,
    ) -> Result<Vec<Series>, Trouble> {
        let Some(loki) = &self.peers.loki else {
            return Err(Trouble {
                title: "Needs Loki.".to_owned(),
                detail: "These numbers are counted in log lines by Loki, and this lab runs without it. `lab logs --top` \
                         counts requests in the log files; Explore shows the lines."
                    .to_owned(),
            });
        };
        let nanoseconds = |time: f64| range::time(time).timestamp_nanos_opt().unwrap_or_default().to_string();
        let (start, end, step) = (nanoseconds(from), nanoseconds(until), step.to_string());
        let pairs = if query.0.instant {
            vec![("query", expr), ("time", &*end)]
        } else {
            vec![("query", expr), ("start", &*start), ("end", &*end), ("step", &*step)]
        };
        let path = if query.0.instant { "/loki/api/v1/query" } else { "/loki/api/v1/query_range" };
        let found = self.series((loki, &self.heard.loki), path, &pairs, query.0).await?;
        Ok(numbered(&found, query.1))
    }

    /// Measured requests with their traces; none where Prometheus keeps none.
    pub(crate) async fn exemplars(&self, expr: &str, (from, until): (f64, f64)) -> Vec<Exemplar> {
        let (start, end) = (from.to_string(), until.to_string());
        let pairs = [("query", expr), ("start", &*start), ("end", &*end)];
        let answer = self.ask(self.prometheus(), "/api/v1/query_exemplars", &pairs).await;
        answer.map(|answer| data::exemplars(&answer["data"])).unwrap_or_default()
    }

    /// The values of a label of the series that match.
    pub(crate) async fn label(
        &self,
        label: &str,
        series: &str,
        (from, until): (f64, f64),
    ) -> Result<Vec<String>, Trouble> {
        let (start, end) = (from.to_string(), until.to_string());
        let path = format!("/api/v1/label/{label}/values");
        let pairs = [("match[]", series), ("start", &*start), ("end", &*end)];
        let answer = self.ask(self.prometheus(), &path, &pairs).await?;
        let mut values: Vec<String> = serde_json::from_value(answer["data"].clone()).unwrap_or_default();
        values.sort();
        Ok(values)
    }

    /// Who calls whom, by the traces.
    pub(crate) async fn calls(&self, (from, until): (f64, f64)) -> Result<Vec<Call>, Trouble> {
        let (end, back) =
            ((until * 1000.0).round().to_string(), ((until - from) * 1000.0).round().to_string());
        let pairs = [("endTs", &*end), ("lookback", &*back)];
        let traces = (&self.peers.jaeger, &self.heard.jaeger);
        let answer = self.ask(traces, "/api/dependencies", &pairs).await?;
        let call = |call: &Value| {
            Some(Call {
                from: call["parent"].as_str()?.to_owned(),
                to: call["child"].as_str()?.to_owned(),
                count: call["callCount"].as_u64()?,
            })
        };
        Ok(answer["data"].as_array().into_iter().flatten().filter_map(call).collect())
    }

    async fn series(
        &self,
        asked: Asked<'_>,
        path: &str,
        pairs: &[(&str, &str)],
        query: &Query,
    ) -> Result<Arc<Vec<Series>>, Trouble> {
        let key = format!("{path} {pairs:?} {}", query.legend);
        if let Some(found) = self.common.get(&key) {
            return Ok(found);
        }
        let answer = self.ask(asked, path, pairs).await?;
        let found = Arc::new(data::series(&answer["data"]["result"], 0, query));
        self.common.put(key, &found);
        Ok(found)
    }

    async fn ask(
        &self,
        (store, heard): Asked<'_>,
        path: &str,
        pairs: &[(&str, &str)],
    ) -> Result<Value, Trouble> {
        let who = store.name;
        let call = async {
            let _turn = store.turn().await;
            if heard.is_silence() { None } else { timeout(QUERY, store.peer.get(path, pairs)).await.ok() }
        };
        let Ok(Some(answered)) = timeout_at(self.deadline, call).await else {
            heard.late.store(true, Relaxed);
            return Err(Trouble {
                title: format!("{who} is too slow."),
                detail: "The page did not wait any longer. Choose a shorter time range, or try again."
                    .to_owned(),
            });
        };
        if !matches!(answered, Err(observe::Error::Unreachable { .. })) {
            heard.answered.store(true, Relaxed);
        }
        answered.map_err(|error| match error {
            observe::Error::Refused { said, .. } => {
                Trouble { title: format!("{who} refuses the query."), detail: said }
            }
            error => Trouble { title: format!("{who} does not answer."), detail: error.to_string() },
        })
    }
}

/// The series as those of the `number`th query of a panel.
fn numbered(found: &[Series], number: usize) -> Vec<Series> {
    found.iter().map(|series| Series { query: number, ..series.clone() }).collect()
}

/// A query that no panel has: for annotations and for what people type.
pub(crate) fn plain(expr: &str) -> Query {
    Query {
        name: "A".to_owned(),
        source: Source::Prometheus,
        expr: expr.to_owned(),
        legend: String::new(),
        instant: false,
        exemplars: false,
        every: None,
        lines: 0,
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn a_store_that_is_silent_says_nothing_about_another() {
        // It takes connections and says nothing; at the other one, nobody listens without being root.
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", silent.local_addr().unwrap());
        let (prometheus, jaeger) =
            (Store::at("Prometheus", &url), Store::at("The trace store", "http://127.0.0.1:1"));
        let sources = Sources {
            peers: Arc::new(Peers { prometheus, jaeger, loki: None }),
            common: Common::default(),
            deadline: Instant::now() + Duration::from_secs(2),
            heard: Each::default(),
        };
        let span = (0.0, 60.0);
        let (late, refused) = tokio::join!(sources.label("job", "up", span), sources.calls(span));
        assert_eq!(late.unwrap_err().title, "Prometheus is too slow.");
        assert_eq!(refused.unwrap_err().title, "The trace store does not answer.");
        let Each { prometheus, jaeger, .. } = &sources.heard;
        assert!(prometheus.is_silence() && !jaeger.is_silence());
        assert!(!jaeger.answered.load(Relaxed), "nobody has answered");
    }

    #[test]
    fn a_store_that_has_answered_once_is_slow_and_not_silent() {
        let heard = Heard::default();
        heard.late.store(true, Relaxed);
        assert!(heard.is_silence());
        heard.answered.store(true, Relaxed);
        assert!(!heard.is_silence());
    }
}
