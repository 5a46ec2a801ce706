//! Prerequisites of a test on the machine. If one is missing, the test fails if `CI` is set, and otherwise prints
//! SKIPPED.

use std::{
    io::Write,
    path::{Path, PathBuf},
};

use crate::{kafka::apache, opensearch};

/// A program that tests start: a server from the machine's packages, or a tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// `postgres` and `initdb`.
    Postgres,
    /// `redis-server`.
    Redis,
    /// `prometheus` and `promtool`.
    Prometheus,
    /// `alertmanager`, or `prometheus-alertmanager` as Debian calls it.
    Alertmanager,
    /// The exporters of PostgreSQL, Redis and the host, under Debian's names or those of their projects.
    Exporters,
    /// Java and Maven, for Apache Kafka.
    ApacheKafka,
    /// What the broker of [`Kafka::start`](crate::Kafka::start) needs: nothing, unless `TEST_KAFKA` selects Apache
    /// Kafka.
    Kafka,
    /// Java and Maven, for OpenSearch.
    OpenSearch,
    /// [`schemathesis`], which `tools/schemathesis/install` installs.
    Schemathesis,
    /// [`s3_emulator`]s, which `tools/s3-emulators/install` installs.
    S3Emulators,
    /// [`localstack`], which `tools/localstack/install` installs.
    Localstack,
    /// [`chromium`] and [`chromedriver`].
    Chromium,
    /// [`axe`], which `tools/axe/install` installs.
    Axe,
}

impl Need {
    /// What is missing on this machine.
    fn missing(self) -> Option<&'static str> {
        let has = |names: &[&str]| names.iter().any(|name| program(name).is_some());
        let (found, how) = match self {
            Self::Postgres => (
                has(&["postgres"]) && has(&["initdb"]),
                "PostgreSQL (Debian: apt-get install postgresql; macOS: brew install postgresql)",
            ),
            Self::Redis => (
                has(&["redis-server"]),
                "Redis (Debian: apt-get install redis-server; macOS: brew install redis)",
            ),
            Self::Prometheus => (
                has(&["prometheus"]) && has(&["promtool"]),
                "Prometheus (apt-get or brew install prometheus)",
            ),
            Self::Alertmanager => (
                has(&["prometheus-alertmanager", "alertmanager"]),
                "Alertmanager (Debian: prometheus-alertmanager; macOS: alertmanager)",
            ),
            Self::Exporters => (
                ["postgres", "redis", "node"].iter().all(|name| {
                    let names = [format!("prometheus-{name}-exporter"), format!("{name}_exporter")];
                    has(&names.each_ref().map(String::as_str))
                }),
                "the exporters (Debian: prometheus-postgres-exporter, prometheus-redis-exporter and prometheus-node-exporter)",
            ),
            Self::ApacheKafka => (apache::can_run(), apache::NEEDS),
            Self::Kafka => (!wants_apache() || apache::can_run(), apache::NEEDS),
            Self::OpenSearch => (opensearch::can_run(), opensearch::NEEDS),
            Self::Schemathesis => (schemathesis().is_file(), "schemathesis (tools/schemathesis/install)"),
            Self::S3Emulators => (
                ["moto_server", "ministack", "weed"]
                    .iter()
                    .all(|name| Path::new(&s3_emulator(name)).is_file()),
                "emulators of S3 (tools/s3-emulators/install)",
            ),
            Self::Localstack => (Path::new(&localstack()).is_file(), "LocalStack (tools/localstack/install)"),
            Self::Chromium => (
                chromium().is_some() && chromedriver().is_some(),
                "Chromium and chromedriver (Debian: chromium and chromium-driver; macOS: chromium and chromedriver)",
            ),
            Self::Axe => (axe().is_file(), "axe-core (tools/axe/install)"),
        };
        (!found).then_some(how)
    }
}

/// The program that sends a service everything that its OpenAPI document allows, and much that it does not.
#[must_use]
pub fn schemathesis() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/tools/schemathesis/bin/schemathesis")
}

/// A program that speaks S3: `moto_server`, `ministack`, or `weed` of SeaweedFS.
#[must_use]
pub fn s3_emulator(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/tools/s3-emulators/bin");
    folder.join(name).to_string_lossy().into_owned()
}

/// The Python that has LocalStack: `-m localstack.runtime.main` starts it.
#[must_use]
pub fn localstack() -> String {
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/tools/localstack/bin/python");
    python.to_string_lossy().into_owned()
}

/// A browser that [`chromedriver`] drives.
#[must_use]
pub fn chromium() -> Option<PathBuf> {
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let of_a_mac = ["Chromium", "Google Chrome"]
        .map(|name| PathBuf::from(format!("/Applications/{name}.app/Contents/MacOS/{name}")));
    let packaged = of_a_mac.into_iter().find(|path| path.is_file());
    names.iter().find_map(|name| program(name)).or(packaged)
}

/// The program that drives [`chromium`] by the WebDriver protocol.
#[must_use]
pub fn chromedriver() -> Option<PathBuf> {
    program("chromedriver")
}

/// The script that finds what keeps people from using a page.
#[must_use]
pub fn axe() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/tools/axe/node_modules/axe-core/axe.min.js")
}

/// Returns from the test if the machine lacks one of the servers: `testkit::needs!(Postgres, Redis);`
#[macro_export]
macro_rules! needs {
    ($($need:ident),+ $(,)?) => {
        if !$crate::available(&[$($crate::Need::$need),+]) {
            return;
        }
    };
}

/// Whether all `needs` are met; the implementation of [`needs!`].
///
/// # Panics
/// When one is missing and `CI` is set: a skipped test must not look like a passed one there.
#[must_use]
pub fn available(needs: &[Need]) -> bool {
    let missing: Vec<_> = needs.iter().filter_map(|need| need.missing()).collect();
    if missing.is_empty() {
        return true;
    }
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    let message = format!("{test} needs {}", missing.join(" and "));
    assert!(variable("CI").is_none(), "{message}");
    // Bypasses libtest's capture, which would swallow the line of a passing test.
    let _ = writeln!(std::io::stderr(), "SKIPPED: {message}");
    false
}

/// Whether the tests should run on Apache Kafka.
///
/// # Panics
/// When `TEST_KAFKA` is neither `mock` nor `apache`.
pub(crate) fn wants_apache() -> bool {
    match variable("TEST_KAFKA").as_deref().map(|value| value.to_str().unwrap_or_default()) {
        None | Some("" | "mock") => false,
        Some("apache") => true,
        Some(other) => panic!("TEST_KAFKA={other}: expected `mock` or `apache`"),
    }
}

/// A program on `PATH`, or where packages install PostgreSQL without linking it there.
pub(crate) fn program(name: &str) -> Option<PathBuf> {
    let path = variable("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).map(|folder| folder.join(name));
    let packaged = packaged_postgres().into_iter().map(|folder| folder.join(name));
    on_path.chain(packaged).find(|candidate| candidate.is_file())
}

/// Debian keeps each version in its own folder, the newest last in name order.
fn packaged_postgres() -> Vec<PathBuf> {
    let Ok(versions) = std::fs::read_dir(Path::new("/usr/lib/postgresql")) else { return Vec::new() };
    let mut folders: Vec<_> = versions.flatten().map(|entry| entry.path().join("bin")).collect();
    folders.sort();
    folders.reverse();
    folders
}

#[expect(clippy::disallowed_methods, reason = "a test library has no command line to configure it by")]
pub(crate) fn variable(name: &str) -> Option<std::ffi::OsString> {
    std::env::var_os(name)
}
