//! OpenSearch, if you ask for it: one node from its Maven artifacts (`tools/opensearch`), with its data in the lab's folder.

use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use reqwest::Url;
use supervisor::{Part, part::Line, ports::Ports, probe::Probe};

use super::address;
use crate::home::Home;

/// Name of the part, of its folder and of its port.
pub(crate) const OPENSEARCH: &str = "opensearch";

/// Port between the nodes of a cluster; this one is alone.
const TRANSPORT: &str = "opensearch-transport";

/// Where the logs of the parts are shipped to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum LogStore {
    /// Loki, if Grafana's is installed.
    Loki,
    /// OpenSearch too: one node with an index per day; needs Java 17 to 23, and Maven for the first start.
    #[value(name = OPENSEARCH)]
    OpenSearch,
}

/// Reads the address of an OpenSearch.
///
/// # Errors
/// A sentence with the expected form.
pub(crate) fn address(text: &str) -> Result<Url, String> {
    address::plain(text, "http://host:9200")
}

/// The part. Fetches the node's jars from Maven Central if they are missing.
///
/// # Errors
/// When Java is missing, or the jars cannot be fetched.
pub(crate) fn part(home: &Home, ports: &Ports) -> Result<Part> {
    let folder = home.root.join("tools/opensearch");
    let lack = Command::new(folder.join("fetch")).arg("--check").output();
    let lack = lack.with_context(|| format!("cannot run {}", folder.join("fetch").display()))?;
    let lack = String::from_utf8_lossy(&lack.stdout).trim().replace('\n', " and ");
    if !lack.is_empty() {
        bail!("OpenSearch needs {lack}: ./lab up --logs opensearch installs it");
    }
    // The script reports on standard error that it fetches, and why it could not.
    let fetched = Command::new(folder.join("fetch")).stdin(Stdio::null()).stdout(Stdio::null()).status();
    if !fetched.is_ok_and(|status| status.success()) {
        bail!("OpenSearch could not be fetched from Maven Central");
    }
    let (port, transport) = (ports.get(OPENSEARCH), ports.get(TRANSPORT));
    let data = home.dir.join(OPENSEARCH).to_string_lossy().into_owned();
    let line = Line::new(folder.join("run"));
    let line = line.keep(["JAVA_HOME", "OPENSEARCH_JAVA_OPTS"]).args([
        data,
        port.to_string(),
        transport.to_string(),
    ]);
    let probe = Probe::Http(format!("http://127.0.0.1:{port}/_cluster/health?local=true"));
    Ok(Part::new(OPENSEARCH, line, probe).port(OPENSEARCH, port).port(TRANSPORT, transport))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_no_secret_and_nothing_that_would_be_ignored() {
        assert_eq!(address("http://search.example:9200").unwrap().as_str(), "http://search.example:9200/");
        for text in
            ["search:9200", "https://search", "http://u:p@search", "http://search/logs", "http://search?x=1"]
        {
            let error = address(text).unwrap_err();
            assert!(error.starts_with("expected an address"), "{text}: {error}");
        }
    }
}
