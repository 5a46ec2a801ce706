//! Queries to Prometheus, Loki and the trace store, with a deadline, at most six at a time, and remembered for a moment:
//! a page and the charts on it ask for the same.

use std::{collections::HashMap, fmt, sync::Arc, time::Duration};

use boards::{
    data::{self, Exemplar, Series},
    draw::Call,
    model::{Query, Source},
    range,
};
use observe::Peer;
use parking_lot::Mutex;
use serde_json::Value;
use tokio::{
    sync::Semaphore,
    time::{Instant, timeout_at},
};

use crate::room::Room;

/// Queries at the same time.
const AT_ONCE: usize = 6;
/// How long an answer is remembered: a chart is drawn right after its page.
const FRESH: Duration = Duration::from_millis(1500);
/// Answers that are remembered.
const REMEMBERED: usize = 300;

type Remembered = HashMap<String, (Instant, Arc<Vec<Series>>)>;

/// Answers of a moment ago. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Recent(Arc<Mutex<Remembered>>);

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
    prometheus: Peer,
    jaeger: Peer,
    loki: Option<Peer>,
    recent: Recent,
    permits: Semaphore,
    deadline: Instant,
}

impl Sources {
    /// Those of the room, until the deadline.
    pub(crate) fn of(room: &Room, recent: &Recent, deadline: Instant) -> Self {
        let sources = &room.config.sources;
        Self {
            prometheus: Peer::at(sources.prometheus_url.as_str()),
            jaeger: Peer::at(sources.traces_url.as_str()),
            loki: sources.loki_url.as_ref().map(|url| Peer::at(url.as_str())),
            recent: recent.clone(),
            permits: Semaphore::new(AT_ONCE),
            deadline,
        }
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
        let found =
            self.series(&self.prometheus, "Prometheus", "/api/v1/query_range", &pairs, query.0).await?;
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
        let found = self.series(&self.prometheus, "Prometheus", "/api/v1/query", &pairs, query.0).await?;
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
        let Some(loki) = &self.loki else {
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
        let found = self.series(loki, "Loki", path, &pairs, query.0).await?;
        Ok(numbered(&found, query.1))
    }

    /// Measured requests with their traces; none where Prometheus keeps none.
    pub(crate) async fn exemplars(&self, expr: &str, (from, until): (f64, f64)) -> Vec<Exemplar> {
        let (start, end) = (from.to_string(), until.to_string());
        let pairs = [("query", expr), ("start", &*start), ("end", &*end)];
        let answer = self.ask(&self.prometheus, "Prometheus", "/api/v1/query_exemplars", &pairs).await;
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
        let answer = self.ask(&self.prometheus, "Prometheus", &path, &pairs).await?;
        let mut values: Vec<String> = serde_json::from_value(answer["data"].clone()).unwrap_or_default();
        values.sort();
        Ok(values)
    }

    /// Who calls whom, by the traces.
    pub(crate) async fn calls(&self, (from, until): (f64, f64)) -> Result<Vec<Call>, Trouble> {
        let (end, back) =
            ((until * 1000.0).round().to_string(), ((until - from) * 1000.0).round().to_string());
        let pairs = [("endTs", &*end), ("lookback", &*back)];
        let answer = self.ask(&self.jaeger, "The trace store", "/api/dependencies", &pairs).await?;
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
        peer: &Peer,
        who: &str,
        path: &str,
        pairs: &[(&str, &str)],
        query: &Query,
    ) -> Result<Arc<Vec<Series>>, Trouble> {
        let key = format!("{path} {pairs:?} {}", query.legend);
        if let Some(found) = self.recent.get(&key) {
            return Ok(found);
        }
        let answer = self.ask(peer, who, path, pairs).await?;
        let found = Arc::new(data::series(&answer["data"]["result"], 0, query));
        self.recent.put(key, &found);
        Ok(found)
    }

    async fn ask(
        &self,
        peer: &Peer,
        who: &str,
        path: &str,
        pairs: &[(&str, &str)],
    ) -> Result<Value, Trouble> {
        let call = async {
            // Closed never.
            let _permit = self.permits.acquire().await;
            peer.get(path, pairs).await
        };
        match timeout_at(self.deadline, call).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(observe::Error::Refused { said, .. })) => {
                Err(Trouble { title: format!("{who} refuses the query."), detail: said })
            }
            Ok(Err(error)) => {
                Err(Trouble { title: format!("{who} does not answer."), detail: error.to_string() })
            }
            Err(_) => Err(Trouble {
                title: format!("{who} is too slow."),
                detail: "The page did not wait any longer. Choose a shorter time range, or try again."
                    .to_owned(),
            }),
        }
    }
}

/// The series as those of the `number`th query of a panel.
fn numbered(found: &[Series], number: usize) -> Vec<Series> {
    found.iter().map(|series| Series { query: number, ..series.clone() }).collect()
}

impl Recent {
    fn get(&self, key: &str) -> Option<Arc<Vec<Series>>> {
        let known = self.0.lock();
        known.get(key).filter(|(at, _)| at.elapsed() < FRESH).map(|(_, found)| Arc::clone(found))
    }

    fn put(&self, key: String, found: &Arc<Vec<Series>>) {
        let mut known = self.0.lock();
        known.retain(|_, (at, _)| at.elapsed() < FRESH);
        if known.len() < REMEMBERED {
            known.insert(key, (Instant::now(), Arc::clone(found)));
        }
    }
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
    use boards::data::Labels;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_answer_is_remembered_for_a_moment_only() {
        let recent = Recent::default();
        let found = Arc::new(vec![Series {
            name: "a".to_owned(),
            query: 0,
            labels: Labels::new(),
            points: Vec::new(),
        }]);
        recent.put("x".to_owned(), &found);
        assert_eq!(recent.get("x").as_deref(), Some(&*found));
        assert_eq!(recent.get("y"), None);
        tokio::time::advance(FRESH).await;
        assert_eq!(recent.get("x"), None);
        recent.put("y".to_owned(), &found);
        assert_eq!(recent.0.lock().len(), 1, "what is old is forgotten");
    }
}
