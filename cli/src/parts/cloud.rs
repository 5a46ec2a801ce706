//! An emulator of a cloud, if you ask for it: S3, SQS and SNS of MiniStack or moto, from `tools/s3-emulators`, on the loopback
//! interface. It keeps everything in memory, accepts any signature, and forgets everything when it stops.

use std::{
    fs,
    path::PathBuf,
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};
use supervisor::{Part, part::Line, ports::Ports, probe::Probe};

use crate::home::Home;

/// Name of its port, and of its folder.
pub(crate) const CLOUD: &str = "cloud";
/// The service that runs only with an emulator.
pub(super) const NOTIFIER: &str = "notifier";

/// Which emulator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Emulator {
    /// MiniStack, which has LocalStack's paths and port.
    Ministack,
    /// moto, as a server.
    Moto,
}

/// Reads the name of an emulator.
///
/// # Errors
/// A sentence with the names that there are; for LocalStack, why it is not one of them.
pub(crate) fn parse(text: &str) -> Result<Emulator, String> {
    match text {
        "ministack" => Ok(Emulator::Ministack),
        "moto" => Ok(Emulator::Moto),
        "localstack" => Err(
            "its last image needs a token and Docker (docs/cloud.md): use ministack, which listens where \
             LocalStack does, or set S3_ENDPOINT to a LocalStack of yours"
                .to_owned(),
        ),
        _ => Err("expected ministack or moto".to_owned()),
    }
}

impl Emulator {
    /// Name of its part.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Ministack => "ministack",
            Self::Moto => "moto",
        }
    }

    const fn program(self) -> &'static str {
        match self {
            Self::Ministack => "ministack",
            Self::Moto => "moto_server",
        }
    }
}

/// The part. Installs the emulators from Python's package index if they are not there in the pinned versions.
///
/// # Errors
/// When they cannot be installed, or a folder cannot be created.
pub(crate) fn part(home: &Home, ports: &Ports, emulator: Emulator) -> Result<Part> {
    let port = ports.get(CLOUD);
    // For what it writes to the system's temporary folder otherwise.
    let folder = home.dir.join(CLOUD);
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let line = Line::new(installed(home, emulator)?).env("TMPDIR", folder.to_string_lossy());
    let base = format!("http://127.0.0.1:{port}");
    let (line, ready) = match emulator {
        Emulator::Ministack => (ministack(line, port), format!("{base}/_ministack/health")),
        Emulator::Moto => {
            let line = line.args(["-H", "127.0.0.1", "-p"]).args([port.to_string()]);
            (line, format!("{base}/moto-api/"))
        }
    };
    Ok(Part::new(emulator.name(), line, Probe::Http(ready)).port(CLOUD, port))
}

/// Without `BIND_HOST` it listens on every address, and without the other settings on further ports.
fn ministack(line: Line, port: u16) -> Line {
    line.env("BIND_HOST", "127.0.0.1")
        .env("GATEWAY_PORT", port.to_string())
        .env("MINISTACK_HOST", "127.0.0.1")
        .env("SERVICES", "s3,sqs,sns,sts")
        .env("IOT_MTLS_ENABLED", "0")
        .env("SFTP_ENABLED", "0")
        .env("LOG_LEVEL", "WARNING")
}

fn installed(home: &Home, emulator: Emulator) -> Result<PathBuf> {
    let install = home.root.join("tools/s3-emulators/install");
    // The script reports on standard error that it installs, and why it could not.
    let done = Command::new(&install).stdin(Stdio::null()).stdout(Stdio::null()).status();
    if !done.with_context(|| format!("cannot run {}", install.display()))?.success() {
        bail!(
            "--cloud {} cannot be installed: it needs python3 with venv, and Python's package index",
            emulator.name()
        );
    }
    Ok(home.root.join("target/tools/s3-emulators/bin").join(emulator.program()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn localstack_is_refused_with_what_replaces_it() {
        assert_eq!(parse("ministack"), Ok(Emulator::Ministack));
        assert!(parse("localstack").is_err_and(|error| error.contains("use ministack")));
        assert_eq!(parse("aws"), Err("expected ministack or moto".to_owned()));
    }

    #[test]
    fn ministack_listens_on_one_port_of_the_loopback_interface() {
        let line = ministack(Line::new("ministack"), 4566);
        for (name, value) in [("BIND_HOST", "127.0.0.1"), ("GATEWAY_PORT", "4566"), ("IOT_MTLS_ENABLED", "0")]
        {
            assert!(line.env.contains(&(name.to_owned(), value.to_owned())), "{name}");
        }
    }
}
