//! Sends samples to the firewall, a few in each round, and says which are judged wrongly.

use std::{sync::Arc, time::Duration};

use http::HeaderValue;
use parking_lot::Mutex;

use super::{
    ask::Asker,
    board::{Board, Misjudged},
    config::ProbeConfig,
    metrics::{ProbeMetrics, Upstream},
    samples::{Kind, Sample, Verdict},
    trace::Trace,
    turns::Turns,
};

/// Tries the firewall.
pub struct Firewall {
    asker: Asker,
    /// Base URL of the staging edge, or of the edge if there is none; without a slash at its end.
    base: String,
    timeout: Duration,
    samples: Vec<Sample>,
    turns: Mutex<Turns>,
    metrics: Arc<ProbeMetrics>,
    board: Arc<Board>,
}

impl Firewall {
    /// The firewall of the edge of `config`.
    #[must_use]
    pub fn new(
        asker: Asker,
        config: &ProbeConfig,
        samples: Vec<Sample>,
        metrics: Arc<ProbeMetrics>,
        board: Arc<Board>,
    ) -> Self {
        let base = config.staging_url.as_ref().unwrap_or(&config.url);
        Self {
            asker,
            base: base.to_string().trim_end_matches('/').to_owned(),
            timeout: config.timeout,
            turns: Mutex::new(Turns::new(&samples)),
            samples,
            metrics,
            board,
        }
    }

    /// Sends the samples of a round, one after the other.
    pub async fn round(&self) {
        let round = self.turns.lock().round();
        for at in round {
            let Some(sample) = self.samples.get(at) else { continue };
            let verdict = self.send(sample).await;
            self.metrics.judged(sample.kind, verdict);
            self.turns.lock().saw(at, verdict);
        }
        let wrong: Vec<usize> = self.turns.lock().wrong().collect();
        let wrong: Vec<&Sample> = wrong.into_iter().filter_map(|at| self.samples.get(at)).collect();
        for kind in Kind::ALL {
            self.metrics.wrong(kind, wrong.iter().filter(|sample| sample.kind == kind).count());
        }
        let misjudged = wrong.into_iter().map(|sample| Misjudged {
            rule: sample.rule.clone(),
            what: sample.what.clone(),
            sample: sample.kind.as_str(),
        });
        self.board.misjudged(misjudged.collect());
    }

    async fn send(&self, sample: &Sample) -> Verdict {
        let trace = Trace::begin();
        let (rule, what, kind, trace_id) = (&*sample.rule, &*sample.what, sample.kind.as_str(), trace.id());
        let Ok(mut request) = sample.request(&self.base) else { return Verdict::Missing };
        // By it, an access log tells it from a real attack.
        if let Ok(id) = HeaderValue::from_str(&format!("probe-{rule}-{trace_id}")) {
            request.headers_mut().insert("x-request-id", id);
        }
        let upstream = match sample.kind {
            Kind::Attack => Upstream::Edge,
            Kind::LookAlike => Upstream::OrderApi,
        };
        let answer = match self.asker.ask(request, upstream, trace, self.timeout).await {
            Ok(answer) => answer,
            Err(failure) => {
                tracing::debug!(rule, what, reason = failure.reason, trace_id, "a sample got no verdict");
                return Verdict::Missing;
            }
        };
        let verdict = sample.judge(answer.status);
        if verdict == Verdict::Wrong {
            let status = answer.status.as_u16();
            tracing::warn!(
                rule,
                what,
                sample = kind,
                status,
                trace_id,
                "the firewall judged a sample wrongly"
            );
        }
        verdict
    }
}
