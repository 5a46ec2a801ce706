//! `/metrics` of a run, and the file that tells the lab's Prometheus where it is (`file_sd_configs`).

use std::{
    fs,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};

use axum::{Router, routing::get};
use chassis_serve::{Limits, Server, Settings};
use chassis_telemetry::metrics::Metrics;
use http::{HeaderMap, header};
use serde_json::json;

use super::{Stop, store};

/// How long a run stays after its end: Prometheus looks at changed files every five seconds at most. A target that is gone before it
/// is forgotten would be an alert; and the last second of the run is scraped.
const STAYS: Duration = Duration::from_secs(6);

/// A run that can be scraped.
pub(super) struct Scraped {
    _server: Server,
    /// What Prometheus finds it by; none if there is no lab.
    file: Option<PathBuf>,
}

impl Scraped {
    /// Serves `metrics` at `address`, and says so in a file in `folder`, if there is such a folder.
    pub(super) async fn start(
        address: SocketAddr,
        metrics: &Metrics,
        scenario: &str,
        folder: &Path,
    ) -> Result<Self, Stop> {
        let metrics = metrics.clone();
        let scrape = move |headers: HeaderMap| {
            let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
            let (kind, body) = metrics.render(accept);
            std::future::ready(([(header::CONTENT_TYPE, kind)], body))
        };
        let routes = Router::new().route("/metrics", get(scrape));
        let server = Server::bind(address, routes, Settings::new(&Limits::default(), 0)).await;
        let server = server.map_err(|error| Stop::Usage(format!("--metrics: {error}")))?;
        eprintln!("metrics: http://{}/metrics", server.address);
        let file = folder.is_dir().then(|| folder.join(format!("{}.json", std::process::id())));
        match &file {
            Some(file) => {
                forget_the_dead(folder);
                store::write(file, &target(server.address, scenario))?;
            }
            None => eprintln!("no Prometheus of a lab looks for it: there is no folder {}", folder.display()),
        }
        Ok(Self { _server: server, file })
    }

    /// Takes the file away, and serves until Prometheus has forgotten it, or until Ctrl-C.
    pub(super) async fn end(self) {
        let Some(file) = &self.file else { return };
        // A file that somebody else has removed is gone as well.
        let _ = fs::remove_file(file);
        tokio::select! {
            () = tokio::time::sleep(STAYS) => {}
            _ = tokio::signal::ctrl_c() => {}
        }
    }
}

/// A run that ends with an error does not say goodbye: Prometheus must not look for it, and call it down.
impl Drop for Scraped {
    fn drop(&mut self) {
        if let Some(file) = &self.file {
            let _ = fs::remove_file(file);
        }
    }
}

/// One target in the format of `file_sd_configs`.
fn target(address: SocketAddr, scenario: &str) -> String {
    let ip = if address.ip().is_unspecified() { IpAddr::V4(Ipv4Addr::LOCALHOST) } else { address.ip() };
    let address = SocketAddr::new(ip, address.port()).to_string();
    json!([{ "targets": [address], "labels": { "service": "load-run", "scenario": scenario } }]).to_string()
}

/// Removes the files of runs that were killed: nobody scrapes them any more.
fn forget_the_dead(folder: &Path) {
    if !Path::new("/proc/self").exists() {
        return;
    }
    for entry in fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok) {
        let pid = entry.path().file_stem().and_then(|stem| stem.to_str()?.parse::<u32>().ok());
        if pid.is_some_and(|pid| !Path::new(&format!("/proc/{pid}")).exists()) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// The most memory that this process has had at once, in MiB; `None` where there is no /proc.
pub(super) fn peak_mib() -> Option<f64> {
    peak(&fs::read_to_string("/proc/self/status").ok()?)
}

fn peak(status: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib / 1_024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_can_be_reached_and_has_its_scenario() {
        let text = target("0.0.0.0:9106".parse().unwrap(), "soak");
        assert_eq!(
            text,
            r#"[{"labels":{"scenario":"soak","service":"load-run"},"targets":["127.0.0.1:9106"]}]"#
        );
    }

    #[tokio::test]
    async fn a_run_that_ends_with_an_error_leaves_no_target_behind() {
        let folder = tempfile::tempdir().unwrap();
        let files = || fs::read_dir(folder.path()).unwrap().count();
        let address = "127.0.0.1:0".parse().unwrap();
        let scraped = Scraped::start(address, &Metrics::new(), "soak", folder.path()).await.unwrap();
        assert_eq!(files(), 1);
        drop(scraped);
        assert_eq!(files(), 0);
    }

    #[test]
    fn the_dead_are_forgotten_and_the_living_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: String| {
            let path = folder.path().join(name);
            fs::write(&path, "[]").unwrap();
            path
        };
        let (living, dead) =
            (file(format!("{}.json", std::process::id())), file("4294967294.json".to_owned()));
        let other = file("notes.json".to_owned());
        forget_the_dead(folder.path());
        assert!(living.exists() && other.exists());
        assert_eq!(dead.exists(), !Path::new("/proc/self").exists());
    }

    #[test]
    fn the_peak_is_read_in_mib() {
        assert_eq!(peak("VmPeak:\t  9 kB\nVmHWM:\t   15360 kB\nVmRSS:\t 12 kB\n"), Some(15.0));
        assert_eq!(peak("VmRSS:\t 12 kB\n"), None);
    }
}
