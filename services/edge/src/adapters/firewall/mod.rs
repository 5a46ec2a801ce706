//! The firewall at work. Rules whose time is known in advance judge a short request where it is: the bound is
//! smaller than the time to hand it over. Everything else is judged by a few threads, and a request waits for
//! them for a bounded time.
//!
//! Rules change as a whole. Searches of the rules before end at their next part, and their requests are
//! judged by the new ones. That is also how the kill switch frees threads that are stuck.

mod current;
mod sources;
mod warnings;
mod watch;

use std::{
    sync::{Arc, atomic::Ordering::Relaxed},
    time::{Duration, Instant},
};

use arc_swap::ArcSwap;
use bytes::Bytes;
use chassis_faults::protection::{Protection, Protections};
use chassis_telemetry::Chassis;
use parking_lot::Mutex;
use tokio::sync::oneshot;

pub use current::Listed;
pub use sources::Change;

use self::{
    current::Current,
    sources::Sources,
    watch::{Here, There},
};
use super::pool::Pool;
use crate::{
    domain::waf::{Asked, Bounds, Machine, Rule, TIME},
    metrics::{FirewallMetrics, RuleMeter},
};

/// Text in bytes, all parts together, up to which linear rules judge a request where it is: some ten
/// microseconds.
const SHORT: usize = 4096;

/// Settings of the firewall.
#[derive(Debug, Clone, Copy)]
pub struct FirewallConfig {
    /// Whether it is on from the start.
    pub enabled: bool,
    /// Its threads.
    pub threads: usize,
    /// Requests that may wait for a thread.
    pub queue: usize,
    /// Steps for a request, all rules together.
    pub budget: u64,
    /// Longest wait for a verdict.
    pub patience: Duration,
}

/// The firewall of one edge.
pub struct Firewall {
    live: ArcSwap<Current>,
    sources: Mutex<Sources>,
    pool: Pool,
    metrics: FirewallMetrics,
    protections: Protections,
    config: FirewallConfig,
}

/// Why a request is not sent on.
#[derive(Debug)]
pub enum Refused {
    /// A rule found it.
    Blocked(Arc<str>),
    /// There was no verdict in time.
    Stuck,
}

/// What is counted of a rule since the start.
#[derive(Debug, Clone, Copy, serde::Serialize)]
pub struct Counts {
    /// Requests that it refused.
    pub blocked: u64,
    /// Requests that it found and let through.
    pub simulated: u64,
    /// Searches that were ended at its cost.
    pub overruns: u64,
    /// Steps.
    pub steps: u64,
    /// Processor time.
    pub cpu_seconds: f64,
}

impl Firewall {
    /// With `rules`, and its threads.
    ///
    /// # Errors
    /// If the system has no thread left.
    pub fn start(config: FirewallConfig, rules: Vec<Rule>, chassis: &Chassis) -> std::io::Result<Arc<Self>> {
        let metrics = FirewallMetrics::register(&chassis.metrics);
        let sources = Sources::new(config.enabled, rules);
        metrics.edge_waf_threads.set(gauge(config.threads));
        let firewall = Arc::new(Self {
            live: ArcSwap::from_pointee(sources.assemble(&metrics)),
            sources: Mutex::new(sources),
            pool: Pool::start(config.threads, config.queue)?,
            protections: chassis.protections.clone(),
            metrics,
            config,
        });
        let measured = Arc::downgrade(&firewall);
        chassis.metrics.on_scrape(move || measured.upgrade().iter().for_each(|firewall| firewall.measure()));
        Ok(firewall)
    }

    fn measure(&self) {
        let metrics = &self.metrics;
        metrics.edge_waf_waiting.set(gauge(self.pool.waiting()));
        metrics.edge_waf_threads_busy.set(gauge(self.pool.busy()));
        let live = self.live.load();
        metrics.edge_waf_enabled.set(live.enabled.into());
        metrics.edge_waf_rules.set(gauge(live.rules.rules().count()));
    }

    /// Judges a request.
    ///
    /// # Errors
    /// Why it is not sent on.
    pub async fn judge(&self, asked: &Asked<'_>) -> Result<(), Refused> {
        let live = self.live.load_full();
        if !live.is_on() {
            return Ok(());
        }
        if live.rules.is_linear() {
            let texts = live.rules.texts(asked);
            if texts.iter().map(Bytes::len).sum::<usize>() <= SHORT {
                let mut watch = Here { live: &live, since: Instant::now() };
                let judged = live.rules.judge(&texts, self.bounds(), &mut Machine::default(), &mut watch);
                return live.settle(&judged).unwrap_or(Ok(()));
            }
        }
        let judged = tokio::time::timeout(self.config.patience, self.judge_elsewhere(asked)).await;
        let verdict = judged.unwrap_or(Err(Refused::Stuck));
        if matches!(verdict, Err(Refused::Stuck)) {
            self.metrics.edge_waf_stuck_total.inc();
        }
        verdict
    }

    /// Judges a request on a thread; again, if the rules change meanwhile.
    async fn judge_elsewhere(&self, asked: &Asked<'_>) -> Result<(), Refused> {
        loop {
            let live = self.live.load_full();
            if !live.is_on() {
                return Ok(());
            }
            let (texts, bounds) = (live.rules.texts(asked), self.bounds());
            let (reply, answer) = oneshot::channel();
            let (rules, patience) = (Arc::clone(&live), self.config.patience);
            let job = move |machine: &mut Machine| {
                // Nobody waits any more: the time of the thread is for others.
                if reply.is_closed() {
                    return;
                }
                let mut watch = There::new(&rules, patience);
                let judged = rules.rules.judge(&texts, bounds, machine, &mut watch);
                let _ = reply.send(judged);
            };
            if !self.pool.submit(Box::new(job)) {
                return Err(Refused::Stuck);
            }
            let judged = answer.await.map_err(|_| Refused::Stuck)?;
            if let Some(verdict) = live.settle(&judged) {
                return verdict;
            }
        }
    }

    fn bounds(&self) -> Bounds {
        let guard = self.protections.on(Protection::RegexGuard);
        Bounds { guard, budget: self.config.budget, time: TIME }
    }

    /// How long a request waits for a verdict at most.
    #[must_use]
    pub fn patience(&self) -> Duration {
        self.config.patience
    }

    /// Puts the rules of the files into force.
    pub fn load(&self, rules: Vec<Rule>) {
        let mut sources = self.sources.lock();
        sources.load(rules);
        self.assemble(&sources);
    }

    /// Changes something at run time.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn change(&self, change: Change) -> Result<(), String> {
        let mut sources = self.sources.lock();
        sources.change(change)?;
        self.assemble(&sources);
        Ok(())
    }

    /// Ends a pushed rule after this time, unless it was withdrawn or replaced before.
    pub fn expire(self: &Arc<Self>, rule: &Arc<Rule>, after: Duration) {
        let (firewall, ends) = (Arc::downgrade(self), Arc::clone(rule));
        let timer = tokio::spawn(async move {
            tokio::time::sleep(after).await;
            let Some(firewall) = firewall.upgrade() else { return };
            let mut sources = firewall.sources.lock();
            if sources.expire(&ends) {
                firewall.assemble(&sources);
                tracing::warn!(rule = ends.id, "the time of a pushed rule is over");
            }
        });
        self.sources.lock().keep_timer(rule, timer.abort_handle());
    }

    fn assemble(&self, sources: &Sources) {
        let before = self.live.swap(Arc::new(sources.assemble(&self.metrics)));
        before.withdrawn.store(true, Relaxed);
    }

    /// Whether it is on.
    #[must_use]
    pub fn is_enabled(&self) -> bool {
        self.live.load().enabled
    }

    /// Whether rules are bounded.
    #[must_use]
    pub fn is_guarded(&self) -> bool {
        self.protections.on(Protection::RegexGuard)
    }

    /// All rules, in force or not.
    #[must_use]
    pub fn list(&self) -> Vec<Listed> {
        self.live.load().all.clone()
    }

    /// What is counted of a rule.
    #[must_use]
    pub fn counts(&self, rule: &str) -> Counts {
        let meter = RuleMeter::new(&self.metrics, rule);
        Counts {
            blocked: meter.blocked.get(),
            simulated: meter.simulated.get(),
            overruns: meter.overruns.get(),
            steps: meter.steps.get(),
            cpu_seconds: meter.cpu.get(),
        }
    }
}

impl Drop for Firewall {
    /// Nobody would end its searches any more.
    fn drop(&mut self) {
        self.live.load().withdrawn.store(true, Relaxed);
    }
}

fn gauge(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
