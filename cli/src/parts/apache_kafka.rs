//! Apache Kafka instead of the embedded broker: one broker from its Maven artifacts (`tools/kafka`), with its log
//! in the lab's folder, so that acknowledged messages survive every restart and SIGKILL.

use std::{
    fs,
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};
use supervisor::{Part, part::Line, ports::Ports, probe::Probe};

use crate::home::Home;

/// Name of the part and of its folder.
pub(crate) const APACHE: &str = "kafka";

/// Port of the controller, a quorum of one.
const CONTROLLER: &str = "kafka-controller";

/// Default number of partitions of a topic; the same as lab-kafka's `orders` and `order-outcomes`.
const PARTITIONS: &str = "12";

/// Its log, in its folder, as `tools/kafka/run` names it.
const LOG: &str = "data";
/// What the log is called after it was put aside.
const ASIDE: &str = "data.before";

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

/// Puts the log aside, if there is one: the broker then begins with an empty one, and makes its topics again. The log that was put
/// aside one time before is deleted. The broker must not be working meanwhile.
///
/// # Errors
/// When something cannot be removed or renamed.
pub(crate) fn put_log_aside(home: &Home) -> Result<()> {
    let folder = home.dir.join(APACHE);
    let (log, aside) = (folder.join(LOG), folder.join(ASIDE));
    if !log.exists() {
        return Ok(());
    }
    if aside.exists() {
        fs::remove_dir_all(&aside).with_context(|| format!("cannot remove {}", aside.display()))?;
    }
    fs::rename(&log, &aside).with_context(|| format!("cannot put {} aside", log.display()))
}

#[cfg(test)]
mod tests {
    use supervisor::Folder;

    use super::*;

    #[test]
    fn a_log_is_put_aside_and_the_one_before_is_deleted() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home { root: folder.path().to_owned(), dir: Folder::at(folder.path()), token: None };
        put_log_aside(&home).unwrap();
        let of_kafka = |name: &str| folder.path().join(APACHE).join(name);
        for text in ["first", "second"] {
            fs::create_dir_all(of_kafka(LOG)).unwrap();
            fs::write(of_kafka(LOG).join("orders-0"), text).unwrap();
            put_log_aside(&home).unwrap();
            assert!(!of_kafka(LOG).exists(), "the broker would read it again");
            assert_eq!(fs::read_to_string(of_kafka(ASIDE).join("orders-0")).unwrap(), text);
        }
    }
}
