//! An emulator of a cloud, if you ask for it: S3, SQS and SNS of MiniStack, moto or LocalStack, from `tools/s3-emulators` and
//! `tools/localstack`, on the loopback interface. It accepts any signature, and forgets everything when it stops. Or one that
//! already runs elsewhere: then the lab starts none.

use std::{
    fs,
    net::{TcpStream, ToSocketAddrs as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use reqwest::Url;
use supervisor::{Part, part::Line, ports::Ports, probe::Probe};

use super::address;
use crate::home::Home;

/// Name of its port, and of its folder.
pub(crate) const CLOUD: &str = "cloud";
/// The service that runs only with an emulator.
pub(super) const NOTIFIER: &str = "notifier";

/// How long an emulator elsewhere may take to accept a connection.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long an emulator that the lab started may take to stop: LocalStack ignores SIGTERM, and none has anything to save.
const GRACE: Duration = Duration::from_secs(2);

/// Which emulator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Emulator {
    /// MiniStack, which has LocalStack's paths and port.
    Ministack,
    /// moto, as a server.
    Moto,
    /// LocalStack 4.13, from Python's package index: no Docker, no token, and no fixes any more.
    Localstack,
}

/// Reads the address of an emulator that already runs.
///
/// # Errors
/// A sentence with the expected form.
pub(crate) fn address(text: &str) -> Result<Url, String> {
    address::plain(text, "http://127.0.0.1:4566")
}

/// The emulator of a lab.
#[derive(Debug, Clone)]
pub(crate) struct Cloud {
    /// Which it is.
    pub(crate) emulator: Emulator,
    /// Where one already runs, which the lab then uses; `None` for one of the lab's own.
    pub(crate) elsewhere: Option<Url>,
}

impl Cloud {
    /// Where its API is, without a slash at the end.
    pub(super) fn endpoint(&self, ports: &Ports) -> String {
        match &self.elsewhere {
            Some(url) => url.as_str().trim_end_matches('/').to_owned(),
            None => format!("http://127.0.0.1:{}", ports.get(CLOUD)),
        }
    }
}

impl Emulator {
    /// Name of its part.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Ministack => "ministack",
            Self::Moto => "moto",
            Self::Localstack => "localstack",
        }
    }

    /// The folder in `tools` that installs it, and the program there.
    const fn program(self) -> (&'static str, &'static str) {
        match self {
            Self::Ministack => ("s3-emulators", "ministack"),
            Self::Moto => ("s3-emulators", "moto_server"),
            // Its own command line starts a container.
            Self::Localstack => ("localstack", "python"),
        }
    }
}

/// The part; `None` if the emulator is elsewhere. Installs ours from Python's package index if it is not there in the pinned
/// version.
///
/// # Errors
/// When it cannot be installed, when a folder cannot be created, or when nothing answers elsewhere.
pub(crate) fn part(home: &Home, ports: &Ports, cloud: &Cloud) -> Result<Option<Part>> {
    if let Some(url) = &cloud.elsewhere {
        return reached(url).map(|()| None);
    }
    let (emulator, port) = (cloud.emulator, ports.get(CLOUD));
    // For what it writes to the system's temporary folder, or its owner's home, otherwise.
    let folder = home.dir.join(CLOUD);
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let line = Line::new(installed(home, emulator)?);
    let base = cloud.endpoint(ports);
    let (line, ready) = match emulator {
        Emulator::Ministack => (ministack(line, port, &folder), format!("{base}/_ministack/health")),
        Emulator::Moto => {
            let line = line.env("TMPDIR", folder.to_string_lossy());
            let line = line.args(["-H", "127.0.0.1", "-p"]).args([port.to_string()]);
            (line, format!("{base}/moto-api/"))
        }
        Emulator::Localstack => (localstack(line, port, &folder), format!("{base}/_localstack/health")),
    };
    let mut part = Part::new(emulator.name(), line, Probe::Http(ready)).port(CLOUD, port);
    part.grace = GRACE;
    Ok(Some(part))
}

/// Asks for a connection, so that a wrong address is a sentence now, and not a notifier that waits.
fn reached(url: &Url) -> Result<()> {
    let name = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let port = url.port_or_known_default().unwrap_or(80);
    let addresses = (name, port).to_socket_addrs();
    let mut addresses = addresses.with_context(|| format!("--cloud-endpoint {url}: no such host"))?;
    if addresses.any(|address| TcpStream::connect_timeout(&address, PATIENCE).is_ok()) {
        return Ok(());
    }
    bail!(
        "--cloud-endpoint {url}: nothing answers there: start it first, or leave the option out for one of the lab's own"
    )
}

/// Without `BIND_HOST` it listens on every address, and without the other settings on further ports.
fn ministack(line: Line, port: u16, folder: &Path) -> Line {
    line.env("TMPDIR", folder.to_string_lossy())
        .env("BIND_HOST", "127.0.0.1")
        .env("GATEWAY_PORT", port.to_string())
        .env("MINISTACK_HOST", "127.0.0.1")
        .env("SERVICES", "s3,sqs,sns,sts")
        .env("IOT_MTLS_ENABLED", "0")
        .env("SFTP_ENABLED", "0")
        .env("LOG_LEVEL", "WARNING")
}

/// Its runtime as a process of this machine, with the services that are written in Python alone.
fn localstack(line: Line, port: u16, folder: &Path) -> Line {
    let address = format!("127.0.0.1:{port}");
    line.args(["-m", "localstack.runtime.main"])
        // For a cache of what is installed.
        .env("HOME", folder.to_string_lossy())
        .env("FILESYSTEM_ROOT", folder.to_string_lossy())
        .env("OVERRIDE_IN_DOCKER", "0")
        .env("GATEWAY_LISTEN", address.clone())
        // The usual one listens on every address, whatever GATEWAY_LISTEN says.
        .env("GATEWAY_SERVER", "hypercorn")
        .env("LOCALSTACK_HOST", address)
        // Otherwise a queue is at a name that no resolver knows.
        .env("SQS_ENDPOINT_STRATEGY", "path")
        .env("SERVICES", "s3,sqs,sns")
        .env("EAGER_SERVICE_LOADING", "1")
        // The usual one needs moto.
        .env("PROVIDER_OVERRIDE_SNS", "v2")
        // It asks nobody outside: no name server of its own, no report of what is used, no certificate.
        .env("DNS_ADDRESS", "0")
        .env("DISABLE_EVENTS", "1")
        .env("SKIP_SSL_CERT_DOWNLOAD", "1")
        .env("LS_LOG", "warning")
}

fn installed(home: &Home, emulator: Emulator) -> Result<PathBuf> {
    let (tool, program) = emulator.program();
    let install = home.root.join("tools").join(tool).join("install");
    // The script reports on standard error that it installs, and why it could not.
    let done = Command::new(&install).stdin(Stdio::null()).stdout(Stdio::null()).status();
    if !done.with_context(|| format!("cannot run {}", install.display()))?.success() {
        bail!(
            "--cloud {} cannot be installed: it needs python3 with venv, and Python's package index; if one already \
             runs, --cloud-endpoint uses it",
            emulator.name()
        );
    }
    Ok(home.root.join("target/tools").join(tool).join("bin").join(program))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn has(line: &Line, settings: &[(&str, &str)]) {
        for (name, value) in settings {
            assert!(line.env.contains(&((*name).to_owned(), (*value).to_owned())), "{name}");
        }
    }

    #[test]
    fn ministack_listens_on_one_port_of_the_loopback_interface() {
        let line = ministack(Line::new("ministack"), 4566, Path::new("/lab/cloud"));
        let settings = [("BIND_HOST", "127.0.0.1"), ("GATEWAY_PORT", "4566"), ("IOT_MTLS_ENABLED", "0")];
        has(&line, &settings);
    }

    #[test]
    fn localstack_listens_on_the_loopback_interface_and_asks_nobody_outside() {
        let line = localstack(Line::new("python"), 4567, Path::new("/lab/cloud"));
        has(&line, &[("GATEWAY_LISTEN", "127.0.0.1:4567"), ("GATEWAY_SERVER", "hypercorn")]);
        has(&line, &[("DNS_ADDRESS", "0"), ("DISABLE_EVENTS", "1"), ("SKIP_SSL_CERT_DOWNLOAD", "1")]);
        has(&line, &[("HOME", "/lab/cloud"), ("FILESYSTEM_ROOT", "/lab/cloud")]);
    }

    #[test]
    fn one_that_is_elsewhere_is_asked_for_a_connection() {
        let listening = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = Url::parse(&format!("http://{}", listening.local_addr().unwrap())).unwrap();
        reached(&url).unwrap();
        drop(listening);
        let error = reached(&url).unwrap_err().to_string();
        assert!(error.contains("nothing answers there"), "{error}");
    }
}
