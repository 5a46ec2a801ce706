//! What the drills of backups and of failover have in common: run after run, each in a separate lab with callers; a disaster;
//! the repetition of what it lost; and the books at the end.

use std::{fmt::Display, time::Duration};

use anyhow::{Context, Result, bail};
use chrono::Utc;
use recovery::Loss;
use serde::Serialize;
use supervisor::ports::Outgoing;
use tokio_util::sync::CancellationToken;

use super::{
    clients::Clients,
    patient::{Patient, free_offset},
    rest::{Addresses, Rest, Settled},
};
use crate::{
    commands::down,
    home::Home,
    parts::{ports, table::Broker},
    terminal::{block, json, say},
};

/// Time for everything to settle at the end.
const REST: Duration = Duration::from_secs(180);

/// A drill, and how often it runs.
pub(in crate::commands) struct Drill<'a> {
    /// The command that has the drill: `backup` or `failover`.
    pub(in crate::commands) of: &'a str,
    /// Number of runs, one after the other; ends at the first failure.
    pub(in crate::commands) times: u16,
    /// Orders per second that the callers place.
    pub(in crate::commands) rps: u16,
    /// Print each report as JSON.
    pub(in crate::commands) json: bool,
    /// The broker of the lab.
    pub(in crate::commands) kafka: Broker,
    /// Arguments of `lab up`, in addition to those of every such lab.
    pub(in crate::commands) up: &'a [&'a str],
    /// Longest time until the lab is up.
    pub(in crate::commands) prepare: Duration,
    /// By how much all ports of the lab are moved; `None` finds free ports.
    pub(in crate::commands) port_offset: Option<u16>,
}

/// A lab under load, and who calls it.
pub(in crate::commands) struct Scene {
    pub(in crate::commands) home: Home,
    pub(in crate::commands) patient: Patient,
    pub(in crate::commands) addresses: Addresses,
    pub(in crate::commands) clients: Clients,
}

/// What one disaster did.
pub(in crate::commands) struct Went {
    pub(in crate::commands) loss: Loss,
    /// Keys of lost orders.
    pub(in crate::commands) lost: Vec<String>,
    /// Seconds that the way back took: the restore, or the failover.
    pub(in crate::commands) seconds: f64,
}

/// What one run found.
pub(in crate::commands) trait Found: Serialize + Display {
    /// Whether it was within its limits, and the books hold.
    fn pass(&self) -> bool;
}

impl Drill<'_> {
    /// Runs it, and prints the report of each run; returns all of them, or `None` if the last one did not pass. The data and
    /// logs of a run that did not pass are kept.
    ///
    /// # Errors
    /// When a lab does not start, or ends by itself; or that of `disaster`.
    pub(in crate::commands) async fn run<R: Found>(
        &self,
        home: &Home,
        disaster: impl AsyncFn(&Scene) -> Result<Went>,
        report: impl Fn(&Went, &Settled) -> R,
    ) -> Result<Option<Vec<R>>> {
        let mut reports = Vec::new();
        for number in 1..=self.times {
            let made = tempfile::Builder::new().prefix(&format!("lab-{}-drill-", self.of)).tempdir();
            let made = made.context("no temporary folder")?;
            let folder = made.path().join("lab");
            let own = Home { token: home.token.clone(), ..Home::find(Some(&home.root), Some(&folder))? };
            say(format!("drill {number} of {}: starting a lab in {}", self.times, own.dir.display()));
            let outcome = self.once(&own, &disaster).await;
            let outcome = outcome.map(|(went, settled)| report(&went, &settled));
            let fine = outcome.as_ref().is_ok_and(Found::pass);
            if fine {
                down::purge(&own)?;
            } else {
                // To find the cause, you need the databases and the logs.
                say(format!("data and logs: {}", made.keep().join("lab").display()));
            }
            let report = outcome?;
            if self.json {
                json(&report)?;
            } else {
                block(&format!("drill {number}: {report}"));
            }
            if !fine {
                return Ok(None);
            }
            reports.push(report);
        }
        Ok(Some(reports))
    }

    /// One run; when it returns, no process of the lab is left.
    async fn once(
        &self,
        home: &Home,
        disaster: &impl AsyncFn(&Scene) -> Result<Went>,
    ) -> Result<(Went, Settled)> {
        let offset = self.port_offset.map_or_else(free_offset, Ok)?;
        let ports = ports::choose(offset, &[], &Outgoing::here())?;
        // Before the lab starts: it and this process must not both make its passwords.
        let addresses = Addresses::new(&ports, home)?;
        let patient = Patient::new(home, self.kafka, offset, self.up);
        let (end, now) = (CancellationToken::new(), CancellationToken::new());
        let mut kept = tokio::spawn(patient.clone().keep_up(end.clone(), now));
        let outcome = tokio::select! {
            kept = &mut kept => {
                kept??;
                bail!("the lab ended by itself")
            }
            outcome = self.under_load(home, patient, addresses, disaster) => outcome,
        };
        end.cancel();
        kept.await??;
        outcome
    }

    async fn under_load(
        &self,
        home: &Home,
        patient: Patient,
        addresses: Addresses,
        disaster: &impl AsyncFn(&Scene) -> Result<Went>,
    ) -> Result<(Went, Settled)> {
        let up = tokio::time::timeout(self.prepare, patient.until_ready()).await;
        up.context("the lab does not become ready")?;
        let prefix = format!("drill-{}-{}-", std::process::id(), Utc::now().timestamp());
        let clients = Clients::new(&addresses.order_api, &prefix);
        let (stop, give_up) = (CancellationToken::new(), CancellationToken::new());
        let calls = tokio::spawn(clients.clone().run(self.rps.into(), stop.clone(), give_up.clone()));
        let scene = Scene { home: home.clone(), patient, addresses, clients };
        let went = disaster(&scene).await;
        stop.cancel();
        let settled = match &went {
            Ok(went) => {
                scene.clients.place_again(&went.lost, &give_up).await;
                let (addresses, clients) = (&scene.addresses, &scene.clients);
                let rest = Rest { addresses, clients, prefix: &prefix, deadline: REST };
                Some(rest.settle().await)
            }
            Err(_) => None,
        };
        give_up.cancel();
        let _ = calls.await;
        Ok((went?, settled.context("nothing settled")?))
    }
}
