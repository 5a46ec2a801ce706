//! Desired state as values of the chart. In a cluster, a repository keeps these, and Argo CD, Flux or helm applies them.

use std::{collections::BTreeMap, process::ExitCode};

use anyhow::{Result, anyhow};
use clap::Args;
use gitops::Repository;
use release::{
    Desired,
    desired::{Limit, Mode, read},
};
use serde::Serialize;

use crate::terminal::json;

/// Prints the flags, the limit and the firewall of the newest commit as values of the chart: JSON, which helm reads as YAML. Versions
/// are left out, because only releases set them.
#[derive(Debug, Args)]
pub(super) struct Values {}

/// What the chart reads.
#[derive(Debug, Serialize)]
struct Chart {
    services: BTreeMap<String, Service>,
    desired: Edges,
}

#[derive(Debug, Serialize)]
struct Service {
    protections: BTreeMap<String, bool>,
}

#[derive(Debug, Serialize)]
struct Edges {
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<Limit>,
    firewall: bool,
    modes: BTreeMap<String, Mode>,
    rules: BTreeMap<String, String>,
}

impl Values {
    pub(super) async fn run(self, repository: &Repository) -> Result<ExitCode> {
        let tree = repository.tree(&repository.head().await?).await?;
        let desired = read(&tree).map_err(|problems| anyhow!("{problems}"))?;
        json(&Chart::of(desired))?;
        Ok(ExitCode::SUCCESS)
    }
}

impl Chart {
    fn of(desired: Desired) -> Self {
        let flags = desired.services.into_iter().map(|(name, service)| (name, service.flags));
        let flags = flags.filter(|(_, flags)| !flags.is_empty());
        Self {
            services: flags.map(|(name, protections)| (name, Service { protections })).collect(),
            desired: Edges {
                limit: desired.limit,
                // As if nobody had decided it.
                firewall: desired.firewall.unwrap_or(true),
                modes: desired.modes,
                rules: desired.rules,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use release::desired::Tree;
    use serde_json::{Value, json};

    use super::*;

    fn values(text: &str) -> Value {
        let tree = Tree::from([("desired.yaml".to_owned(), text.to_owned())]);
        serde_json::to_value(Chart::of(read(&tree).expect("a state"))).expect("JSON")
    }

    #[test]
    fn settings_are_values_of_the_chart_and_versions_are_not() {
        let state = "services:\n  order-api:\n    version: 0.1.0\n    flags: {circuit-breaker: false}\n  \
            user-service:\n    version: 0.1.0\nlimit: {rps: 20, burst: 40}\nfirewall: false\nmodes: {scanners: simulate}\n";
        let expected = json!({
            "services": { "order-api": { "protections": { "circuit-breaker": false } } },
            "desired": {
                "limit": { "rps": 20.0, "burst": 40 },
                "firewall": false,
                "modes": { "scanners": "simulate" },
                "rules": {},
            },
        });
        assert_eq!(values(state), expected);
        let nothing = json!({ "services": {}, "desired": { "firewall": true, "modes": {}, "rules": {} } });
        assert_eq!(values("services:\n  order-api:\n    version: 0.1.0\n"), nothing);
    }
}
