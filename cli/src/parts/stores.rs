//! Redis and the broker, each a private child process on the loopback interface that keeps nothing on disk.

use std::process::Command;

use anyhow::{Context, Result, bail};
use supervisor::{Part, part::Line, ports::Ports, probe::Probe, write_private};

use super::{environment, programs};
use secrecy::ExposeSecret as _;

use crate::{home::Home, secrets::Secrets};

/// Name of the embedded broker's part, and of its program.
pub(crate) const KAFKA: &str = "lab-kafka";
/// The variable of the services with a consumer.
const SESSION_TIMEOUT: &str = "KAFKA_SESSION_TIMEOUT";
/// Silence after which lab-kafka takes a consumer's partitions away. Each rebalance takes a second less, however soon
/// all members have joined (`stand-ins/lab-kafka/README.md`), and the partitions that move are not read meanwhile.
///
/// Alone in its group: longer than the 3 s for which an empty group lets its first member wait. If the session ends
/// before that, the mock cluster forgets the member and never answers its join, and the member joins anew after 10 s.
const SESSION_ALONE: &str = "3200ms";
/// With others: an order has 5 s to be settled, and in a rolling restart a partition waits for two rebalances at most. Its
/// owner cannot commit and leave before the one under way is over, and that begins the next. Twice 1.5 s leaves 2 s for
/// everything else.
const SESSION_TOGETHER: &str = "2500ms";

/// Redis as a cache: no persistence, bounded memory, least recently used keys are evicted; one account for the
/// service that uses it, one for its exporter, one for the control room, one for the lab's owner, and no other.
///
/// # Errors
/// When Redis is not installed, or older than version 7.
pub(crate) fn redis(home: &Home, port: u16) -> Result<Part> {
    let program = programs::need(&["redis-server", "valkey-server"], "Redis")?;
    let output = Command::new(&program).arg("--version").output().context("redis-server --version")?;
    let version = String::from_utf8_lossy(&output.stdout).into_owned();
    if major(&version).is_some_and(|major| major < 7) {
        bail!("{} is too old, the lab needs Redis 7 or newer: {}", program.display(), version.trim());
    }
    let folder = home.dir.join("redis");
    let secrets = Secrets::of(home);
    let text = TEMPLATE_REDIS
        .replace("{{port}}", &port.to_string())
        .replace("{{service}}", secrets.make(REDIS_SERVICE)?.expose_secret())
        .replace("{{exporter}}", secrets.make(REDIS_EXPORTER)?.expose_secret())
        .replace("{{room}}", secrets.make(REDIS_ROOM)?.expose_secret())
        .replace("{{owner}}", secrets.make(REDIS_OWNER)?.expose_secret());
    let config = folder.join("redis.conf");
    write_private(&config, &text)?;
    let mut line = Line::new(program).args([config.to_string_lossy()]);
    line.cwd = Some(folder);
    Ok(Part::new("redis", line, Probe::Redis(port)).port("redis", port))
}

const TEMPLATE_REDIS: &str = include_str!("templates/redis.conf");

/// The secret of user-service's account.
const REDIS_SERVICE: &str = "redis-user-service";
/// The secret of the exporter's account.
const REDIS_EXPORTER: &str = "redis-exporter";
/// The secret of the control room's account.
const REDIS_ROOM: &str = "redis-control-room";
/// The secret of the owner's account, for `lab redis-cli`.
pub(crate) const REDIS_OWNER: &str = "redis-lab";

/// URL of Redis for user-service.
///
/// # Errors
/// When its password can be neither read nor created.
pub(crate) fn redis_url(secrets: &Secrets, port: u16) -> Result<String> {
    Ok(format!("redis://user-service:{}@127.0.0.1:{port}", secrets.make(REDIS_SERVICE)?.expose_secret()))
}

/// URL of Redis for its exporter.
///
/// # Errors
/// When its password can be neither read nor created.
pub(crate) fn exporter_url(secrets: &Secrets, port: u16) -> Result<String> {
    Ok(format!("redis://exporter:{}@127.0.0.1:{port}", secrets.make(REDIS_EXPORTER)?.expose_secret()))
}

/// URL of Redis for the control room.
///
/// # Errors
/// When its password can be neither read nor created.
pub(crate) fn room_url(secrets: &Secrets, port: u16) -> Result<String> {
    Ok(format!("redis://control-room:{}@127.0.0.1:{port}", secrets.make(REDIS_ROOM)?.expose_secret()))
}

/// The major version in `Redis server v=7.0.15 sha=…`.
fn major(version: &str) -> Option<u32> {
    version.split("v=").nth(1)?.split('.').next()?.parse().ok()
}

/// The embedded broker.
///
/// # Errors
/// When the broker was not built.
pub(crate) fn kafka(ports: &Ports) -> Result<Part> {
    let (port, admin) = (ports.get("kafka"), ports.get("lab-kafka-admin"));
    let program = programs::ours(KAFKA)?;
    let settings = environment::settings(&program)?;
    let line = environment::frugal(Line::new(program))
        .keep(settings)
        .env("LOG_FORMAT", "json")
        .env("KAFKA_ADDR", format!("127.0.0.1:{port}"))
        .env("ADMIN_ADDR", format!("127.0.0.1:{admin}"));
    let probe = Probe::Http(format!("http://127.0.0.1:{admin}/readyz"));
    Ok(Part::new(KAFKA, line, probe).port("kafka", port).port("lab-kafka-admin", admin))
}

/// A part that reads topics of the embedded broker, in a group of `members`: with a session that ends soon, unless another
/// value was set for `lab up`.
pub(crate) fn settle_soon(mut part: Part, members: usize) -> Part {
    if environment::beginning_with(SESSION_TIMEOUT).is_empty() {
        let session = if members > 1 { SESSION_TOGETHER } else { SESSION_ALONE };
        part.command = part.command.env(SESSION_TIMEOUT, session);
    }
    part
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_version_of_redis_is_read_from_its_output() {
        assert_eq!(major("Redis server v=6.0.16 sha=00000000:0 malloc=jemalloc-5.2.1 bits=64"), Some(6));
        assert_eq!(major("something else"), None);
    }
}
