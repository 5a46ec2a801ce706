//! Circuit breaker after resilience4j's count-based one: a window of the last calls, open for a while after too many
//! failures; then a bounded number of probes decides.
//!
//! Our own because tower has none, and because it is switched off at run time and exports its state to our registry.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use parking_lot::{Mutex, MutexGuard};
use prometheus::IntGauge;
use tokio::time::Instant;

/// Calls that the failure rate is computed over.
const WINDOW: usize = 50;
/// Calls below which no rate is computed: a few failures after an idle period must not open it.
const MIN_CALLS: usize = 20;
/// Share of failures, in percent, at which it opens.
const FAILURE_PERCENT: usize = 50;
/// Time that it stays open before it lets probes through.
const OPEN_FOR: Duration = Duration::from_secs(5);
/// Probes of the half-open state; their failure rate decides.
const PROBES: usize = 5;

/// A breaker of one peer. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Breaker {
    state: Arc<Mutex<State>>,
    gauge: IntGauge,
}

enum State {
    Closed { window: VecDeque<bool>, failures: usize },
    Open { until: Instant },
    HalfOpen { started: usize, ok: usize, failed: usize },
}

/// Leave to make one call. Report what came of it; dropped without a report (a cancelled call), it frees its probe.
pub(crate) struct Admission {
    breaker: Breaker,
    probe: bool,
    reported: bool,
}

impl Breaker {
    /// A closed breaker that shows its state on `gauge`: 0 closed, 1 half-open, 2 open.
    pub(crate) fn new(gauge: IntGauge) -> Self {
        gauge.set(0);
        Self { state: Arc::new(Mutex::new(State::closed())), gauge }
    }

    /// Leave to make a call; `None` while the breaker refuses.
    pub(crate) fn admit(&self) -> Option<Admission> {
        let mut state = self.lock();
        let probe = match &mut *state {
            State::Closed { .. } => false,
            State::Open { until } if Instant::now() < *until => return None,
            State::Open { .. } => {
                self.become_(&mut state, State::HalfOpen { started: 1, ok: 0, failed: 0 });
                true
            }
            State::HalfOpen { started, .. } if *started >= PROBES => return None,
            State::HalfOpen { started, .. } => {
                *started += 1;
                true
            }
        };
        Some(Admission { breaker: self.clone(), probe, reported: false })
    }

    fn record(&self, probe: bool, ok: bool) {
        let mut state = self.lock();
        let next = match &mut *state {
            State::Closed { window, failures } if !probe => {
                window.push_back(ok);
                *failures += usize::from(!ok);
                if window.len() > WINDOW && window.pop_front() == Some(false) {
                    *failures -= 1;
                }
                let full = window.len() >= MIN_CALLS;
                (full && *failures * 100 >= window.len() * FAILURE_PERCENT).then(State::open)
            }
            State::HalfOpen { ok: good, failed, .. } if probe => {
                *(if ok { &mut *good } else { &mut *failed }) += 1;
                let enough = *good + *failed >= PROBES;
                let bad = *failed * 100 >= PROBES * FAILURE_PERCENT;
                if bad { Some(State::open()) } else { enough.then(State::closed) }
            }
            // A call that was admitted in an earlier state does not count in this one.
            _ => None,
        };
        if let Some(next) = next {
            self.become_(&mut state, next);
        }
    }

    fn forget_probe(&self) {
        if let State::HalfOpen { started, .. } = &mut *self.lock() {
            *started = started.saturating_sub(1);
        }
    }

    fn become_(&self, state: &mut State, next: State) {
        self.gauge.set(match next {
            State::Closed { .. } => 0,
            State::HalfOpen { .. } => 1,
            State::Open { .. } => 2,
        });
        *state = next;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic cannot leave the state half-written: each change is one assignment.
        self.state.lock()
    }
}

impl State {
    fn closed() -> Self {
        Self::Closed { window: VecDeque::with_capacity(WINDOW + 1), failures: 0 }
    }

    fn open() -> Self {
        Self::Open { until: Instant::now() + OPEN_FOR }
    }
}

impl Admission {
    /// Reports whether the peer served the call.
    pub(crate) fn report(mut self, ok: bool) {
        self.reported = true;
        self.breaker.record(self.probe, ok);
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        if self.probe && !self.reported {
            self.breaker.forget_probe();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn breaker() -> (Breaker, IntGauge) {
        let gauge = IntGauge::new("state", "state").expect("a gauge");
        (Breaker::new(gauge.clone()), gauge)
    }

    fn call(breaker: &Breaker, ok: bool) -> bool {
        breaker.admit().map(|a| a.report(ok)).is_some()
    }

    #[tokio::test(start_paused = true)]
    async fn opens_when_ten_of_twenty_fail_and_closes_after_five_good_probes() {
        let (breaker, gauge) = breaker();
        for n in 0..MIN_CALLS {
            assert!(call(&breaker, n % 2 == 0), "closed while fewer than {MIN_CALLS} calls are known");
        }
        assert_eq!(gauge.get(), 2, "ten of twenty failed");
        assert!(!call(&breaker, true), "nothing passes while it is open");
        tokio::time::advance(OPEN_FOR).await;
        for _ in 0..PROBES {
            assert!(call(&breaker, true));
        }
        assert_eq!(gauge.get(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn bad_probes_open_it_again_and_a_cancelled_probe_frees_its_place() {
        let (breaker, gauge) = breaker();
        for _ in 0..MIN_CALLS {
            call(&breaker, false);
        }
        tokio::time::advance(OPEN_FOR).await;
        let probes: Vec<_> = (0..PROBES).filter_map(|_| breaker.admit()).collect();
        assert_eq!(probes.len(), PROBES);
        assert!(breaker.admit().is_none(), "no more probes than {PROBES} at once");
        drop(probes);
        assert_eq!(gauge.get(), 1);
        for _ in 0..3 {
            assert!(call(&breaker, false));
        }
        assert_eq!(gauge.get(), 2, "three of five probes failed");
    }
}
