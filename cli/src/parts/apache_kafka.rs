//! Apache Kafka instead of the embedded broker: one broker from its Maven artifacts (`tools/kafka`), with its log
//! in the lab's folder, so that acknowledged messages survive every restart and SIGKILL.

use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use supervisor::{Part, part::Line, ports::Ports, probe::Probe};

use crate::home::Home;

/// Name of the part and of its folder.
pub(crate) const APACHE: &str = "kafka";

/// Port of the controller, a quorum of one.
const CONTROLLER: &str = "kafka-controller";

/// Default number of partitions of a topic; the same as lab-kafka's `orders` and `order-outcomes`.
const PARTITIONS: &str = "12";

/// What this machine lacks for it, in words; empty if nothing.
///
/// # Errors
/// When the script that knows cannot be run.
pub(crate) fn lack(home: &Home) -> Result<String> {
    let fetch = home.root.join("tools/kafka/fetch");
    let lack = Command::new(&fetch).arg("--check").output();
    let lack = lack.with_context(|| format!("cannot run {}", fetch.display()))?;
    Ok(String::from_utf8_lossy(&lack.stdout).trim().replace('\n', " and "))
}

/// The part. Fetches the broker's jars from Maven Central if they are missing.
///
/// # Errors
/// When Java is missing, or the jars cannot be fetched.
pub(crate) fn part(home: &Home, ports: &Ports) -> Result<Part> {
    let folder = home.root.join("tools/kafka");
    let lack = lack(home)?;
    if !lack.is_empty() {
        bail!("Apache Kafka needs {lack}: ./lab up --kafka apache installs it");
    }
    // The script reports on standard error that it fetches, and why it could not.
    let fetched = Command::new(folder.join("fetch")).stdin(Stdio::null()).stdout(Stdio::null()).status();
    if !fetched.is_ok_and(|status| status.success()) {
        bail!("Apache Kafka could not be fetched from Maven Central");
    }
    let (port, controller) = (ports.get(APACHE), ports.get(CONTROLLER));
    let data = home.dir.join(APACHE).to_string_lossy().into_owned();
    let line = Line::new(folder.join("run"));
    let line = line.keep(["JAVA_HOME", "KAFKA_JAVA_OPTS"]).args([
        data,
        port.to_string(),
        controller.to_string(),
        PARTITIONS.to_owned(),
    ]);
    Ok(Part::new(APACHE, line, Probe::Kafka(port)).port(APACHE, port).port(CONTROLLER, controller))
}
