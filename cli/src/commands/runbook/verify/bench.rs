//! One measurement: quiet, broken, firing, handled, quiet again, as before.

use std::{fmt, time::Duration};

use anyhow::{Context, Result, bail};
use observe::{
    Alertmanager, ControlRoom, Prometheus,
    prometheus::{Alert, Labels},
};
use serde::Serialize;
use tokio::time::{Instant, sleep};

use super::{
    fault::Fault,
    report::{Row, judge},
    script::Script,
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

/// Longest wait for an alert: the largest budget is spent after seven minutes.
const FIRE: Duration = Duration::from_secs(600);
/// Longest wait for the end of an alert, after the end of its cause: the longest window is two minutes.
const SETTLE: Duration = Duration::from_secs(180);
/// Longest wait for a quiet lab.
const CALM: Duration = Duration::from_secs(480);
/// Longest wait for a process that starts again.
const BACK: Duration = Duration::from_secs(60);
/// Pause between two looks.
const LOOK: Duration = Duration::from_millis(500);

/// Who acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Way {
    /// A person who is guided, with scripted answers.
    Manual,
    /// The runbook by itself.
    Auto,
    /// Nobody, until the fault ends by itself.
    Nobody,
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Manual => "manual",
            Self::Auto => "auto",
            Self::Nobody => "nobody",
        })
    }
}

/// A lab that is measured.
pub(super) struct Bench<'p> {
    place: &'p Installation,
    home: Home,
    prometheus: Reached<Prometheus>,
    alertmanager: Reached<Alertmanager>,
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
        Ok(Self {
            place,
            home: home.clone(),
            prometheus: place.prometheus().await?,
            alertmanager: place.alertmanager().await?,
            room: place.control_room().await?,
            people: [people.0, people.1],
        })
    }

    /// Whether a runbook has an act.
    pub(super) async fn acts(&self, runbook: &str) -> Result<bool> {
        let runbook = self.room.get(&format!("/api/v1/runbooks/{runbook}"), &[]).await?;
        Ok(each(&runbook["steps"]).iter().any(|step| word(&step["kind"]) == "act"))
    }

    /// Measures once. What goes wrong is in the row.
    pub(super) async fn measure(&self, name: &str, fault: &Fault, way: Way) -> Row {
        let tried = self.tried(name, fault, way).await;
        // Whatever has happened, no fault stays.
        let repaired = self.repair().await;
        match tried.and_then(|row| repaired.map(|()| row)) {
            Ok(row) => row,
            Err(error) => Row::failed(name, way, format!("{error:#}")),
        }
    }

    async fn tried(&self, name: &str, fault: &Fault, way: Way) -> Result<Row> {
        self.calm(name, fault).await?;
        let before = Snapshot::take(self.place, &self.alertmanager).await?;
        let broken = Instant::now();
        for replica in self.place.replicas(Some(&fault.service)).await? {
            replica.set_fault(&fault.name, &fault.parameters).await?;
        }
        let labels = self.fires(name, broken).await?;
        let fired = broken.elapsed();
        let played = match way {
            Way::Nobody => None,
            Way::Manual | Way::Auto => Some(Script::of(self, name, fault).play(way, &labels, broken).await?),
        };
        if fault.forgets && way != Way::Nobody {
            self.repair().await?;
            start_over(&self.home, &self.prometheus, &self.alertmanager).await?;
        }
        let ended = self.ends(name, &labels, broken + fault.ttl + SETTLE).await?.duration_since(broken);
        self.repair().await?;
        let left = before.differences(&self.after().await?);
        let verdict = judge(played.as_ref(), ended < fault.ttl);
        Ok(Row {
            runbook: name.to_owned(),
            way,
            fired: Some(fired.as_secs_f64()),
            ended: Some(ended.as_secs_f64()),
            cause: fault.ttl.as_secs_f64(),
            verdict,
            ending: played.map(|played| format!("{}: {}", played.ending, played.why)),
            left,
            problem: None,
        })
    }

    /// Ends every fault, and what an earlier measurement has left in the windows of the alert.
    async fn calm(&self, name: &str, fault: &Fault) -> Result<()> {
        self.repair().await?;
        if fault.forgets || name.ends_with("BudgetBurn") {
            start_over(&self.home, &self.prometheus, &self.alertmanager).await?;
        }
        let deadline = Instant::now() + CALM;
        while !self.alerts(name).await?.is_empty() {
            if Instant::now() > deadline {
                bail!("{name} fires before anything was broken, and does not end: see lab alerts");
            }
            sleep(LOOK).await;
        }
        Ok(())
    }

    /// Ends every fault; waits for a process that is about to start.
    pub(super) async fn repair(&self) -> Result<()> {
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
    async fn after(&self) -> Result<Snapshot> {
        let deadline = Instant::now() + BACK;
        loop {
            match Snapshot::take(self.place, &self.alertmanager).await {
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

    /// The labels of the first alert of this name that fires.
    async fn fires(&self, name: &str, broken: Instant) -> Result<Labels> {
        loop {
            let mut alerts = self.alerts(name).await?.into_iter();
            if let Some(alert) = alerts.find(|alert| alert.state == "firing") {
                return Ok(alert.labels);
            }
            if broken.elapsed() > FIRE {
                bail!("{name} does not fire within {} s of its fault", FIRE.as_secs());
            }
            sleep(LOOK).await;
        }
    }

    /// When this alert has ended.
    async fn ends(&self, name: &str, labels: &Labels, deadline: Instant) -> Result<Instant> {
        loop {
            let alerts = self.alerts(name).await?;
            if !alerts.iter().any(|alert| alert.state == "firing" && alert.labels == *labels) {
                return Ok(Instant::now());
            }
            if Instant::now() > deadline {
                bail!("{name} does not end, {} s after its cause has: see lab alerts", SETTLE.as_secs());
            }
            sleep(LOOK).await;
        }
    }
}
