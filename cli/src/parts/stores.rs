//! Redis and the broker, each a private child on the loopback that keeps nothing on disk.

use std::{fs, process::Command};

use anyhow::{Context, Result, bail};

use super::{Line, Part, programs};
use crate::{home::Home, ports::Ports, supervisor::probe::Probe};

/// Redis as a cache: no persistence, bounded memory, oldest keys go first. `DEBUG` is allowed from this machine so that a
/// drill can freeze the server.
///
/// # Errors
/// When it is not installed, or older than version 7.
pub(crate) fn redis(home: &Home, port: u16) -> Result<Part> {
    let program = programs::need(&["redis-server", "valkey-server"], "Redis")?;
    let output = Command::new(&program).arg("--version").output().context("redis-server --version")?;
    let version = String::from_utf8_lossy(&output.stdout).into_owned();
    if major(&version).is_some_and(|major| major < 7) {
        bail!("{} is too old, the lab needs Redis 7 or newer: {}", program.display(), version.trim());
    }
    let folder = home.dir.join("redis");
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let port_text = port.to_string();
    let mut line =
        Line::new(program).args(["--port", &port_text, "--bind", "127.0.0.1", "--save", ""]).args([
            "--appendonly",
            "no",
            "--maxmemory",
            "64mb",
            "--maxmemory-policy",
            "allkeys-lru",
            "--enable-debug-command",
            "local",
        ]);
    line.cwd = Some(folder);
    Ok(Part::new("redis", line, Probe::Redis(port)).port("redis", port))
}

/// The major version in `Redis server v=7.0.15 sha=…`.
fn major(version: &str) -> Option<u32> {
    version.split("v=").nth(1)?.split('.').next()?.parse().ok()
}

/// The embedded broker.
///
/// # Errors
/// When it was not built.
pub(crate) fn kafka(ports: &Ports) -> Result<Part> {
    let (port, admin) = (ports.get("kafka"), ports.get("lab-kafka-admin"));
    let line = Line::new(programs::ours("lab-kafka")?)
        .env("KAFKA_ADDR", format!("127.0.0.1:{port}"))
        .env("ADMIN_ADDR", format!("127.0.0.1:{admin}"));
    let probe = Probe::Http(format!("http://127.0.0.1:{admin}/readyz"));
    Ok(Part::new("lab-kafka", line, probe).port("kafka", port).port("lab-kafka-admin", admin))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_version_of_redis_is_read_from_its_own_words() {
        assert_eq!(major("Redis server v=6.0.16 sha=00000000:0 malloc=jemalloc-5.2.1 bits=64"), Some(6));
        assert_eq!(major("something else"), None);
    }
}
