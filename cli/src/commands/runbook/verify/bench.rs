//! The lab of a measurement: made quiet, broken, watched until an alert fires and ends, and repaired.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use observe::{
    Alertmanager, ControlRoom, Prometheus,
    prometheus::{Alert, Labels},
};
use parking_lot::Mutex;
use tokio::time::{Instant, sleep};

use super::{
    cause::Cause,
    fault::{Fault, burns},
    hand,
    snapshot::Snapshot,
};
use crate::{
    commands::{
        runbook::print::{each, word},
        slo::start_over,
    },
    home::Home,
    installation::{Installation, Reached},
};

/// How long after the end of its cause an alert may still begin: a process that dies is over at once.
const LATE: Duration = Duration::from_secs(60);
/// Longest wait for the end of an alert, after the end of its cause: the longest window is two minutes.
pub(super) const SETTLE: Duration = Duration::from_secs(180);
/// Longest wait for a quiet lab.
const CALM: Duration = Duration::from_secs(480);
/// Longest wait for a process that starts again.
const BACK: Duration = Duration::from_secs(60);
/// Pause between two looks.
const LOOK: Duration = Duration::from_millis(500);

/// A lab that is measured.
pub(super) struct Bench<'p> {
    pub(super) place: &'p Installation,
    pub(super) home: Home,
    /// Requests per second that the load generator sends, if there is one.
    load: Option<f64>,
    /// Whether something is broken that does not end by itself.
    by_hand: AtomicBool,
    /// Whether nothing was broken since Prometheus has forgotten what was bad: it need not forget that again.
    forgotten: AtomicBool,
    /// The shell of the page's commands, whose group has what they left in the background.
    group: Mutex<Option<u32>>,
    /// The control room's run that has not ended, as far as this program knows: it would keep acting after this program ends.
    pub(super) run: Mutex<Option<String>>,
    pub(super) prometheus: Reached<Prometheus>,
    pub(super) alertmanager: Reached<Alertmanager>,
    pub(super) room: Reached<ControlRoom>,
    /// Who works on a run, and who approves.
    pub(super) people: [String; 2],
}

impl<'p> Bench<'p> {
    pub(super) async fn of(home: &Home, place: &'p Installation) -> Result<Self> {
        let path = home.root.join("oncall.yaml");
        let text =
            std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let rota = rota::read(&path.display().to_string(), &text)
            .map_err(|problems| anyhow::anyhow!("the file has problems:\n{problems}"))?;
        let mut people = rota.people.into_keys();
        let Some(people) = people.next().zip(people.next()) else {
            bail!("{}: a run needs two people, one who works on it and one who approves", path.display());
        };
        let bench = Self {
            place,
            home: home.clone(),
            load: hand::rate(home).await.ok(),
            by_hand: AtomicBool::new(false),
            forgotten: AtomicBool::new(false),
            group: Mutex::new(None),
            run: Mutex::new(None),
            prometheus: place.prometheus().await?,
            alertmanager: place.alertmanager().await?,
            room: place.control_room().await?,
            people: [people.0, people.1],
        };
        if bench.room.get("/api/v1/automation", &[]).await?["on"] == true {
            bail!("automation is on, and would act as well: lab automation off \"runbooks are verified\"");
        }
        Ok(bench)
    }

    /// Whether a runbook has an act.
    pub(super) async fn acts(&self, runbook: &str) -> Result<bool> {
        let runbook = self.room.get(&format!("/api/v1/runbooks/{runbook}"), &[]).await?;
        Ok(each(&runbook["steps"]).iter().any(|step| word(&step["kind"]) == "act"))
    }

    /// Ends every fault, and what an earlier measurement has left in the windows of the alert.
    pub(super) async fn calm(&self, name: &str, fault: &Fault) -> Result<()> {
        self.repair(fault).await?;
        if burns(name, fault) {
            // What was late may have been counted after Prometheus forgot, or that measurement failed.
            let fires = !self.alerts(name).await?.is_empty();
            if fires || !self.forgotten.load(Ordering::Relaxed) {
                self.forget().await?;
            }
        }
        let deadline = Instant::now() + CALM;
        while !self.alerts(name).await?.is_empty() {
            if Instant::now() > deadline {
                bail!("{name} fires before anything was broken, and does not end: see lab alerts");
            }
            sleep(LOOK).await;
        }
        // A runbook does not restart what an earlier measurement has just restarted.
        while self.restarted(fault).await? {
            if Instant::now() > deadline {
                bail!("{} is restarted again and again: see lab status", fault.service);
            }
            sleep(LOOK).await;
        }
        Ok(())
    }

    /// Lets Prometheus forget what was bad. Nothing may be broken.
    pub(super) async fn forget(&self) -> Result<()> {
        start_over(&self.home, &self.prometheus, &self.alertmanager).await?;
        self.forgotten.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Whether the process that is about to be frozen is new.
    async fn restarted(&self, fault: &Fault) -> Result<bool> {
        let query = format!("changes(process_start_time_seconds{{job=\"{}\"}}[5m]) > 0", fault.service);
        Ok(fault.cause == Cause::Freeze && !self.prometheus.query(&query).await?.is_empty())
    }

    /// Breaks the lab as the page does.
    pub(super) async fn breaks(&self, fault: &Fault) -> Result<()> {
        self.by_hand.store(!fault.ends_by_itself(), Ordering::Relaxed);
        self.forgotten.store(false, Ordering::Relaxed);
        match &fault.cause {
            Cause::Fault { name, parameters } => {
                for replica in self.place.replicas(Some(&fault.service)).await? {
                    replica.set_fault(name, parameters).await?;
                }
                Ok(())
            }
            Cause::Freeze => hand::freeze(&self.home, &fault.service),
            Cause::NoLoad => {
                self.load.filter(|rate| *rate > 0.0).context("this lab has no load to stop")?;
                hand::set_rate(&self.home, 0.0).await
            }
            Cause::Command { breaks, .. } => hand::shell(&self.home, breaks, &self.group).await,
        }
    }

    /// Ends what a measurement may have left: its run, and what is broken. Each, even if the other cannot be ended.
    pub(super) async fn clear(&self, fault: &Fault) -> Result<()> {
        let stopped = self.end_run().await;
        self.repair(fault).await?;
        stopped
    }

    /// Takes back what the page has broken, and ends every fault; waits for a process that is about to start.
    pub(super) async fn repair(&self, fault: &Fault) -> Result<()> {
        hand::end(&self.group);
        if self.by_hand.load(Ordering::Relaxed) {
            match (&fault.cause, self.load) {
                (Cause::Freeze, _) => hand::thaw(&self.home, &fault.service)?,
                (Cause::NoLoad, Some(rate)) => hand::set_rate(&self.home, rate).await?,
                (Cause::Command { restores: Some(restores), .. }, _) => {
                    hand::shell(&self.home, restores, &Mutex::new(None)).await?;
                }
                (Cause::Fault { .. } | Cause::NoLoad | Cause::Command { .. }, _) => {}
            }
            self.by_hand.store(false, Ordering::Relaxed);
        }
        let deadline = Instant::now() + BACK;
        for replica in self.place.replicas(None).await? {
            while let Err(error) = replica.end_faults().await {
                if Instant::now() > deadline {
                    return Err(error).with_context(|| format!("{replica} is not back"));
                }
                sleep(LOOK).await;
            }
        }
        Ok(())
    }

    /// The lab afterwards; a process may be about to start.
    pub(super) async fn after(&self) -> Result<Snapshot> {
        let deadline = Instant::now() + BACK;
        loop {
            match Snapshot::take(&self.home, self.place, &self.alertmanager).await {
                Err(_) if Instant::now() < deadline => sleep(LOOK).await,
                taken => return taken,
            }
        }
    }

    /// Pending and firing alerts of this name.
    async fn alerts(&self, name: &str) -> Result<Vec<Alert>> {
        let mut alerts = self.prometheus.alerts().await?;
        alerts.retain(|alert| alert.labels.get("alertname").is_some_and(|known| known == name));
        Ok(alerts)
    }

    /// The labels of the first alert of this name that fires; if several do, of the one about what was broken, and of the page.
    pub(super) async fn fires(&self, name: &str, fault: &Fault, broken: Instant) -> Result<Labels> {
        let longest = fault.ttl + LATE;
        loop {
            let mut firing = self.alerts(name).await?;
            firing.retain(|alert| alert.state == "firing");
            firing.sort_by_key(|alert| {
                let page = alert.labels.get("severity").is_some_and(|severity| severity == "page");
                (alert.labels.get("service") != Some(&fault.service), !page)
            });
            if let Some(alert) = firing.into_iter().next() {
                return Ok(alert.labels);
            }
            if broken.elapsed() > longest {
                bail!("{name} does not fire within {} s of its fault", longest.as_secs());
            }
            sleep(LOOK).await;
        }
    }

    /// As [`Bench::fires`], for an alert that fires already because of an earlier fault, once the new one is seen: before that, a
    /// run would find nothing to wait for.
    pub(super) async fn fires_again(&self, name: &str, fault: &Fault, broken: Instant) -> Result<Labels> {
        let labels = self.fires(name, fault, broken).await?;
        let slo = labels.get("slo").map_or("", String::as_str);
        let burns = format!("slo:current_burn_rate:ratio{{slo=\"{slo}\"}} > 1");
        while self.prometheus.query(&burns).await?.is_empty() {
            if broken.elapsed() > fault.ttl {
                bail!("{name}: nothing burns within {} s of its fault", fault.ttl.as_secs());
            }
            sleep(LOOK).await;
        }
        Ok(labels)
    }

    /// Whether this alert fires now.
    pub(super) async fn still_fires(&self, name: &str, labels: &Labels) -> Result<bool> {
        let alerts = self.alerts(name).await?;
        Ok(alerts.iter().any(|alert| alert.state == "firing" && alert.labels == *labels))
    }

    /// When this alert has ended. Its cause is over at `over`: what does not end by itself is taken back then.
    pub(super) async fn ends(
        &self,
        name: &str,
        fault: &Fault,
        labels: &Labels,
        over: Instant,
    ) -> Result<Instant> {
        let mut lasts = !fault.ends_by_itself();
        loop {
            if !self.still_fires(name, labels).await? {
                return Ok(Instant::now());
            }
            if lasts && Instant::now() > over {
                self.repair(fault).await?;
                lasts = false;
            }
            if Instant::now() > over + SETTLE {
                bail!("{name} does not end, {} s after its cause has: see lab alerts", SETTLE.as_secs());
            }
            sleep(LOOK).await;
        }
    }
}
