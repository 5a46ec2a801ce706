//! Deletes series from Prometheus's data while it is stopped. Prometheus itself can delete only through its admin
//! API, which has no authentication: any page in a browser could use it. So the lab's Prometheus runs without that
//! API, and a second one, started briefly on the same data, makes the deletions: on a free port, under a path that
//! nobody can guess, scraping nothing and evaluating nothing (docs/adr/0008-slo-reset.md).

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::{Context, Result, bail};
use chrono::{DateTime, SecondsFormat, Utc};
use observe::Peer;
use reqwest::Method;
use rustix::process::Signal;
use serde::{Deserialize, Serialize};
use slo::Clock;
use supervisor::{part::Errand, probe::Probe, process::ProcId, write_private};
use tokio::{
    process::{Child, Command},
    time::{Instant, sleep},
};

use secrecy::ExposeSecret as _;

use super::{monitoring, programs};
use crate::{home::Home, secrets::Secrets};

/// Longest wait for the second Prometheus: it replays the data that are not yet in blocks, a few hours at most.
const PATIENCE: Duration = Duration::from_secs(120);
/// Pause between two looks.
const LOOK: Duration = Duration::from_millis(50);

/// Samples to delete: those of the given series from a moment on, to the last that the stopped Prometheus took.
///
/// The end is not a field: anyone who asks would write the time of the request, and Prometheus scrapes and evaluates until it has
/// stopped. One total that was recorded in between, without the samples that it was counted from, is still the newest total
/// after the restart, and a rule that subtracts the good events from it would find every event bad.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Deletion {
    /// Selectors.
    pub(crate) series: Vec<String>,
    /// First moment.
    pub(crate) from: DateTime<Utc>,
}

impl Deletion {
    /// Parameters of the admin API that delete everything up to `until`.
    fn query(&self, until: DateTime<Utc>) -> Vec<(&'static str, String)> {
        let time = |time: DateTime<Utc>| time.to_rfc3339_opts(SecondsFormat::Millis, true);
        let series = self.series.iter().map(|series| ("match[]", series.clone()));
        series.chain([("start", time(self.from)), ("end", time(until))]).collect()
    }
}

/// The task that the supervisor runs between two runs of the part `prometheus`.
///
/// # Errors
/// When the path of this program is unknown.
pub(super) fn errand(home: &Home) -> Result<Errand> {
    Ok(Errand { request: request(home), line: home.again()?.args(["slo", "forget"]) })
}

fn request(home: &Home) -> PathBuf {
    home.dir.join("prometheus/forget.json")
}

/// Requests deletions; they are made when Prometheus ends, for whatever reason.
///
/// # Errors
/// When the request cannot be written.
pub(crate) fn ask(home: &Home, deletions: &[Deletion]) -> Result<()> {
    Ok(write_private(&request(home), &serde_json::to_string(deletions)?)?)
}

/// Whether a request for deletions is pending.
pub(crate) fn asked(home: &Home) -> bool {
    request(home).exists()
}

/// Makes the requested deletions. Prometheus must not be running.
///
/// # Errors
/// When the second Prometheus does not start, or refuses a deletion.
pub(crate) async fn run(home: &Home) -> Result<()> {
    let text = fs::read(request(home)).context("no deletion was requested")?;
    let deletions: Vec<Deletion> = serde_json::from_slice(&text).context("the request cannot be read")?;
    // Prometheus has ended: no sample is later than now.
    let until = Utc::now();
    let (mut child, url) = start(home)?;
    let deleted = delete(&mut child, &url, &deletions, until).await;
    if let Some(process) = child.id().and_then(ProcId::of) {
        // SIGTERM, not SIGKILL: it has to write the deletions to disk.
        process.signal(Signal::TERM);
        let _ = tokio::time::timeout(PATIENCE, child.wait()).await;
    }
    deleted
}

/// Starts the second Prometheus; returns its address.
fn start(home: &Home) -> Result<(Child, String)> {
    let folder = home.dir.join("prometheus");
    let config = monitoring::write(&folder, "forget.yml", "global: {}\n")?;
    // Prometheus does not say which port it got for 0, so it gets one that is free now. If another program takes it
    // first, Prometheus does not start, and the deletion fails.
    let port = TcpListener::bind("127.0.0.1:0").and_then(|port| port.local_addr())?.port();
    let secrets = Secrets::of(home);
    // A new path each time: someone may have seen an older one.
    let _ = fs::remove_file(secrets.path("forget"));
    let path = secrets.make("forget")?;
    let flags = flags(&folder, home.clock(), &config, port, path.expose_secret());
    // In a file, because every user can see the command line.
    let flags_file = secrets.write("forget-flags", &flags)?;
    let child = Command::new(programs::need(&["prometheus"], "Prometheus")?)
        .arg(format!("@{}", flags_file.display()))
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .context("cannot run Prometheus")?;
    Ok((child, format!("http://127.0.0.1:{port}/{}", path.expose_secret())))
}

/// One flag per line.
fn flags(folder: &Path, clock: Clock, config: &Path, port: u16, path: &str) -> String {
    [
        format!("--config.file={}", config.display()),
        format!("--storage.tsdb.path={}", monitoring::data(folder, clock).display()),
        monitoring::retention(clock).join("\n"),
        format!("--web.listen-address=127.0.0.1:{port}"),
        format!("--web.route-prefix=/{path}"),
        "--web.enable-admin-api".to_owned(),
        monitoring::FEATURES.to_owned(),
        "--log.level=warn\n".to_owned(),
    ]
    .join("\n")
}

async fn delete(child: &mut Child, url: &str, deletions: &[Deletion], until: DateTime<Utc>) -> Result<()> {
    let deadline = Instant::now() + PATIENCE;
    while let Err(reason) = Probe::Http(format!("{url}/-/ready")).ask().await {
        if let Some(status) = child.try_wait()? {
            bail!("the Prometheus that makes deletions ended with {status}");
        }
        if Instant::now() > deadline {
            bail!("the Prometheus that makes deletions does not become ready: {reason}");
        }
        sleep(LOOK).await;
    }
    let peer = Peer::at(url);
    for deletion in deletions {
        let query = deletion.query(until);
        let query: Vec<_> = query.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let deleted = peer.call(Method::POST, "/api/v1/admin/tsdb/delete_series", &query).await;
        // The error contains its secret address, which would end up in a log.
        deleted
            .map_err(|_| anyhow::anyhow!("Prometheus refused to delete {}", deletion.series.join(", ")))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_that_came_after_the_request_are_deleted_too() {
        let asked: DateTime<Utc> = "2026-01-02T03:04:05Z".parse().unwrap();
        let deletion = Deletion { series: vec!["up".to_owned(), "down".to_owned()], from: asked };
        let request = serde_json::to_string(&[deletion]).unwrap();
        let read: Vec<Deletion> = serde_json::from_str(&request).unwrap();
        let ended = asked + chrono::TimeDelta::milliseconds(1250);
        assert_eq!(
            read[0].query(ended),
            [
                ("match[]", "up".to_owned()),
                ("match[]", "down".to_owned()),
                ("start", "2026-01-02T03:04:05.000Z".to_owned()),
                ("end", "2026-01-02T03:04:06.250Z".to_owned()),
            ]
        );
    }
}
