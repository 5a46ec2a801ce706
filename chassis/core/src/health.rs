//! Readiness: a set of named checks. `/readyz` answers 200 when all hold and otherwise names those that do not.

use std::{sync::Arc, time::Duration};

use futures::{StreamExt, future::BoxFuture, stream::FuturesUnordered};
use parking_lot::RwLock;
use tokio::sync::watch;

/// Time allowed for one check.
const DEADLINE: Duration = Duration::from_secs(1);

type Check = Arc<dyn Fn() -> BoxFuture<'static, Result<(), String>> + Send + Sync>;

/// The named checks of one process. Cheap to clone.
#[derive(Clone, Default)]
pub struct Readiness {
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    stopping: watch::Sender<bool>,
    checks: RwLock<Vec<(&'static str, Check)>>,
}

impl Readiness {
    /// Adds a check that runs on each `/readyz`, with a deadline of one second. An `Err` names what is wrong.
    pub fn check<F>(&self, name: &'static str, check: F)
    where
        F: Fn() -> BoxFuture<'static, Result<(), String>> + Send + Sync + 'static,
    {
        self.inner.checks.write().push((name, Arc::new(check)));
    }

    /// Makes the process unready for good: the first step of a shutdown.
    pub fn stopping(&self) {
        self.inner.stopping.send_replace(true);
    }

    /// Waits until the process begins to stop. A response without an end of its own, such as a stream of events, ends then:
    /// the drain waits for every response.
    pub fn until_stopping(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut stopping = self.inner.stopping.subscribe();
        async move {
            // Fails only if the process is already gone.
            let _ = stopping.wait_for(|stopping| *stopping).await;
        }
    }

    /// Name and reason of each check that fails now; empty means ready. All checks run concurrently.
    pub async fn failing(&self) -> Vec<(&'static str, String)> {
        if *self.inner.stopping.borrow() {
            return vec![("process", "stopping".to_owned())];
        }
        let checks = self.inner.checks.read().clone();
        let asked = checks.into_iter().map(|(name, check)| async move {
            match tokio::time::timeout(DEADLINE, check()).await {
                Ok(Ok(())) => None,
                Ok(Err(reason)) => Some((name, reason)),
                Err(_) => Some((name, format!("no answer within {DEADLINE:?}"))),
            }
        });
        let mut failing: Vec<_> =
            asked.collect::<FuturesUnordered<_>>().filter_map(std::future::ready).collect().await;
        failing.sort_unstable();
        failing
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn who_waits_for_the_stop_is_told_when_it_begins_and_later() {
        let readiness = Readiness::default();
        let mut waiting = Box::pin(readiness.until_stopping());
        assert!(waiting.as_mut().now_or_never().is_none());
        assert!(readiness.failing().await.is_empty());
        readiness.stopping();
        assert!(waiting.now_or_never().is_some());
        assert!(readiness.until_stopping().now_or_never().is_some());
        assert_eq!(readiness.failing().await, [("process", "stopping".to_owned())]);
    }
}
