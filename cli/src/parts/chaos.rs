//! The proxies between the parts, of `lab up --chaos`: one for each way from a service to what it needs. Without the
//! option, services connect directly, and nothing of this runs.
//!
//! Kafka has no proxy: brokers tell their clients their own addresses, so that only the first connection of a
//! client would pass through it.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
};

use anyhow::{Context as _, Result};
use supervisor::{Part, probe::Probe};

use super::{
    replicas::{Instance, instances},
    table::Choices,
};
use crate::{
    home::Home,
    outside::{Desk, Link},
};

/// Its name.
pub(crate) const CHAOS: &str = "chaos";

/// Who connects to whom, through a proxy.
pub(crate) const WAYS: [(&str, &str); 5] = [
    ("order-api", "postgres"),
    ("user-service", "postgres"),
    ("order-worker", "postgres"),
    ("user-service", "redis"),
    ("order-api", "user-service"),
];

/// The part, if it was asked for.
///
/// # Errors
/// When its folder cannot be prepared, or the path of this program is unknown.
pub(crate) fn part(home: &Home, choices: &Choices) -> Result<Option<Part>> {
    if !choices.chaos {
        return Ok(None);
    }
    let desk = Desk::of(home);
    let folder = desk.file("");
    // Orders to an earlier lab are not for this one.
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let ready = desk.file("ready");
    let text = |path: &std::path::Path| path.to_string_lossy().into_owned();
    let mut line =
        home.again()?.args(["chaos".to_owned(), "keep".to_owned(), "--ready".to_owned(), text(&ready)]);
    let mut ports = Vec::new();
    for (link, name) in links(choices) {
        ports.push((name, link.listen.port()));
        line = line.args(["--link".to_owned(), link.to_string()]);
    }
    let part = Part::new(CHAOS, line, Probe::File(ready));
    Ok(Some(ports.iter().fold(part, |part, (name, number)| part.port(name, *number))))
}

/// The ways with their addresses, and the name of the port of each: one for each instance that is connected to.
fn links(choices: &Choices) -> Vec<(Link, String)> {
    let link = |from: &str, to: &str, peer: &str| {
        let name = port_name(from, peer);
        let local = |port: &str| SocketAddr::from((Ipv4Addr::LOCALHOST, choices.ports.get(port)));
        let (listen, target) = (local(&name), local(peer));
        (Link { from: from.to_owned(), to: to.to_owned(), listen, target }, name)
    };
    let all = WAYS.into_iter().flat_map(|(from, to)| {
        let several = instances(&choices.replicas, to).into_iter().map(Instance::name);
        several.map(|peer| link(from, to, &peer)).collect::<Vec<_>>()
    });
    all.collect()
}

fn port_name(from: &str, peer: &str) -> String {
    format!("chaos-{from}-{peer}")
}

/// The port at which a service finds a peer: the peer's own, or that of the proxy on the way.
pub(super) fn way(choices: &Choices, from: &str, peer: &str) -> u16 {
    let name = if choices.chaos { port_name(from, peer) } else { peer.to_owned() };
    choices.ports.get(&name)
}

/// A part that connects through the proxies: they are there before it, and after it.
pub(super) fn behind(part: Part, choices: &Choices) -> Part {
    if choices.chaos { part.after(&[CHAOS]) } else { part }
}

#[cfg(test)]
mod tests {
    use supervisor::part::Line;

    use super::*;
    use crate::parts::edge::tests::choices;

    #[test]
    fn every_way_has_its_port_and_leads_to_every_instance() {
        let chosen = Choices { chaos: true, ..choices(&["user-service=3", "order-api=2"], &[]) };
        let links: Vec<String> = links(&chosen).into_iter().map(|(link, _)| link.to_string()).collect();
        assert_eq!(
            links,
            [
                "order-api/postgres=127.0.0.1:9137,127.0.0.1:5432",
                "user-service/postgres=127.0.0.1:9138,127.0.0.1:5432",
                "order-worker/postgres=127.0.0.1:9154,127.0.0.1:5432",
                "user-service/redis=127.0.0.1:9159,127.0.0.1:6379",
                "order-api/user-service=127.0.0.1:9177,127.0.0.1:8002",
                "order-api/user-service=127.0.0.1:9178,127.0.0.1:8004",
                "order-api/user-service=127.0.0.1:9155,127.0.0.1:8007",
            ]
        );
        assert_eq!(way(&chosen, "order-api", "user-service-2"), 9178);
    }

    #[test]
    fn without_the_option_services_connect_directly() {
        let plain = choices(&[], &[]);
        assert_eq!(way(&plain, "order-api", "postgres"), 5432);
        let part = Part::new("order-api", Line::new("order-api"), Probe::Postgres(1));
        assert!(behind(part, &plain).after.is_empty());
    }
}
