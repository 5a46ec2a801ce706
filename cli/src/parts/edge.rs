//! The edge: in front of the services, and told where their instances are. Several edges have a port each, and share the one that
//! everybody knows (docs/adr/0044-one-port-for-several-edges.md).

use std::{collections::BTreeMap, num::NonZero, path::PathBuf, thread::available_parallelism};

use anyhow::Result;
use supervisor::{Part, probe::Probe};

use super::{
    monitoring,
    ports::PORTS,
    replicas::{Instance, instances},
    table::Choices,
};
use crate::home::Home;

pub(crate) use super::replicas::BEHIND;

/// Its name, and that of the port of all edges.
pub(crate) const EDGE: &str = "edge";
/// The port of the first edge alone, if there are several.
pub(crate) const EDGE_OWN: &str = "edge-own";
/// An edge that users never reach, and its port.
pub(crate) const STAGING: &str = "edge-staging";
/// More than all services behind it handle at a time: if something sheds requests, then the one that is overloaded.
const IN_FLIGHT: &str = "1024";

/// The routes of the lab, with the addresses of one instance of each service.
const ROUTES: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../services/edge/routes.yaml"));

/// Writes the routes of all edges of this lab; returns the file.
///
/// # Errors
/// When it cannot be written.
pub(super) fn write_routes(home: &Home, choices: &Choices) -> Result<PathBuf> {
    monitoring::write(&home.dir.join(EDGE), ROUTES_FILE, &written(choices))
}

/// The file of the routes, in the folder of the edge in the lab's own.
pub(crate) const ROUTES_FILE: &str = "routes.yaml";

/// The text of that file while nothing is released.
pub(crate) fn written(choices: &Choices) -> String {
    format!(
        "# Written by `lab up`; the next start and each step of a release overwrite it.\n{}",
        routes(choices)
    )
}

/// The routes with the requests to a service split by these shares, in percent: all instances that stay, its baseline, its
/// canary. The canary comes last, as the edge's header for canaries expects.
pub(crate) fn split(text: &str, service: &str, guests: [u16; 2], shares: [u32; 3]) -> String {
    let ([baseline, canary], [stay, of_baseline, of_canary]) = (guests.map(address), shares);
    let alone = format!("\n  {service}:\n    endpoints: ");
    let beside = |name: &str, address: &str| upstream(&format!("{service}-{name}"), address);
    let others =
        [beside("baseline", &baseline), beside("canary", &canary)].map(|one| one.trim_end().to_owned());
    let upstreams = format!("{}{alone}", others.concat());
    let targets = format!(
        "to: [{{upstream: {service}, weight: {stay}}}, {{upstream: {service}-baseline, weight: {of_baseline}}}, \
         {{upstream: {service}-canary, weight: {of_canary}}}]"
    );
    let all = format!("to: [{{upstream: {service}}}]");
    text.replace(&alone, &upstreams).replace(&all, &targets)
}

/// The routes of the lab, with the addresses of all instances that run here.
fn routes(choices: &Choices) -> String {
    BEHIND.into_iter().fold(ROUTES.to_owned(), |text, service| {
        let known = PORTS.iter().find(|port| port.name == service).map(|port| port.default);
        let all = instances(&choices.replicas, service).into_iter();
        let all: Vec<String> = all.map(|one| address(choices.ports.get(&one.name()))).collect();
        text.replace(
            &upstream(service, &address(known.unwrap_or_default())),
            &upstream(service, &all.join(", ")),
        )
    })
}

fn address(port: u16) -> String {
    format!("\"http://127.0.0.1:{port}\"")
}

/// The lines of an upstream in the file.
fn upstream(service: &str, endpoints: &str) -> String {
    format!("\n  {service}:\n    endpoints: [{endpoints}]\n")
}

/// An edge in its place: behind the port of all edges, and after what it passes requests to.
pub(super) fn placed(mut part: Part, instance: Instance, choices: &Choices) -> Part {
    let local = |port: &str| format!("127.0.0.1:{}", choices.ports.get(port));
    let line = part.command.env("WAF_THREADS", threads().to_string()).env("MAX_IN_FLIGHT", IN_FLIGHT);
    part.command = line;
    if instances(&choices.replicas, EDGE).len() > 1 {
        part.command = part.command.env("EDGE_SHARED_ADDR", local(EDGE));
        if !instance.is_further() {
            part.command.env.retain(|(name, _)| name != "PUBLIC_ADDR");
            part.command = part.command.env("PUBLIC_ADDR", local(EDGE_OWN));
            part = part.port(EDGE_OWN, choices.ports.get(EDGE_OWN));
        }
    }
    let behind = BEHIND.into_iter().flat_map(|service| instances(&choices.replicas, service));
    part.after.extend(behind.map(Instance::name));
    part
}

/// The edge that users never reach: as `base`, on ports of its own alone. It is no instance of the service, so what is done to
/// every edge is not done to it.
pub(super) fn staging(base: &Part, choices: &Choices) -> Part {
    let admin_name = format!("{STAGING}-admin");
    let (public, admin) = (choices.ports.get(STAGING), choices.ports.get(&admin_name));
    let local = |port: u16| format!("127.0.0.1:{port}");
    let mut part = base.clone();
    STAGING.clone_into(&mut part.name);
    part.instance_of = None;
    part.ports = BTreeMap::from([(STAGING.to_owned(), public), (admin_name, admin)]);
    part.admin = Some(format!("http://{}", local(admin)));
    part.probe = Probe::Http(format!("http://{}/readyz", local(admin)));
    let own = ["PUBLIC_ADDR", "ADMIN_ADDR", "EDGE_SHARED_ADDR", "DATA_DIR"];
    part.command.env.retain(|(name, _)| !own.contains(&name.as_str()));
    part.command = part.command.env("PUBLIC_ADDR", local(public)).env("ADMIN_ADDR", local(admin));
    part
}

/// Threads of the firewall: one core is for what the edge is there for.
fn threads() -> usize {
    let cores = available_parallelism().map_or(1, NonZero::get);
    (cores - 1).clamp(1, 2)
}

#[cfg(test)]
pub(crate) mod tests {
    use supervisor::{part::Line, ports::Outgoing};

    use super::*;
    use crate::parts::{
        choices::{Timing, Webhooks},
        ports::{self, parse_choice},
        replicas::parse,
        table::Kafka,
    };

    /// Choices with these instances and ports, and the defaults.
    pub(crate) fn choices(replicas: &[&str], moved: &[&str]) -> Choices {
        let moved: Vec<_> = moved.iter().map(|text| parse_choice(text).unwrap()).collect();
        Choices {
            ports: ports::choose(0, &moved, &Outgoing::here()).unwrap(),
            kafka: Kafka::Embedded,
            replicas: replicas.iter().map(|text| parse(text).unwrap()).collect(),
            rate: None,
            probes: false,
            staging: false,
            trace_ratio: 1.0,
            reveal: false,
            token: None,
            event_keys: None,
            timing: Timing { clock: slo::Clock::Lab, keep: false },
            objects: false,
            cloud: None,
            backups: None,
            chaos: false,
            replica: None,
            opensearch: false,
            webhooks: Webhooks { generic: None, slack: None },
        }
    }

    #[test]
    fn the_routes_list_every_instance_even_if_two_services_have_exchanged_their_ports() {
        let text = routes(&choices(&["order-api=3"], &["order-api=8002", "user-service=8001"]));
        let all = [8002, 8003, 8005].map(address).join(", ");
        assert!(text.contains(&upstream("order-api", &all)), "{text}");
        assert!(text.contains(&upstream("user-service", &address(8001))), "{text}");
        let bare = |text: &str| text.lines().filter(|line| !line.contains("endpoints")).count();
        assert_eq!(bare(&text), bare(ROUTES), "nothing else is changed");
    }

    #[test]
    fn a_split_adds_two_upstreams_and_weights_to_each_route_of_the_service_and_nothing_else() {
        let text = routes(&choices(&["order-api=2"], &[]));
        let text = split(&text, "order-api", [8012, 8011], [90, 5, 5]);
        for (name, endpoints) in [
            ("order-api", [8001, 8003].map(address).join(", ")),
            ("order-api-baseline", address(8012)),
            ("order-api-canary", address(8011)),
            ("user-service", address(8002)),
        ] {
            assert_eq!(text.matches(&upstream(name, &endpoints)).count(), 1, "{name}: {text}");
        }
        let targets = "to: [{upstream: order-api, weight: 90}, {upstream: order-api-baseline, weight: 5}, \
                       {upstream: order-api-canary, weight: 5}]\n";
        assert_eq!(text.matches(targets).count(), ROUTES.matches("upstream: order-api}").count(), "{text}");
        assert!(text.contains("to: [{upstream: user-service}]"), "{text}");
    }

    /// Ports and variables of the edges with these choices.
    fn edges(choices: &Choices) -> Vec<Part> {
        let part = |instance: Instance| {
            let own = format!("127.0.0.1:{}", choices.ports.get(&instance.name()));
            let line = Line::new("edge").env("PUBLIC_ADDR", own);
            let part = Part::new(&instance.name(), line, Probe::Http(String::new()));
            placed(part.port(&instance.name(), choices.ports.get(&instance.name())), instance, choices)
        };
        instances(&choices.replicas, EDGE).into_iter().map(part).collect()
    }

    fn variable<'p>(part: &'p Part, name: &str) -> Vec<&'p str> {
        let found = part.command.env.iter().filter(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str()).collect()
    }

    #[test]
    fn one_edge_has_the_port_for_itself_and_several_share_it() {
        let alone = edges(&choices(&["order-api=2"], &[]));
        assert_eq!(variable(&alone[0], "PUBLIC_ADDR"), ["127.0.0.1:8000"]);
        assert!(variable(&alone[0], "EDGE_SHARED_ADDR").is_empty());
        assert_eq!(alone[0].after, ["order-api", "order-api-2", "user-service"]);

        let both = edges(&choices(&["edge=2"], &[]));
        let own: Vec<_> = both.iter().map(|edge| variable(edge, "PUBLIC_ADDR")).collect();
        assert_eq!(own, [["127.0.0.1:8009"], ["127.0.0.1:8006"]]);
        for edge in &both {
            assert_eq!(variable(edge, "EDGE_SHARED_ADDR"), ["127.0.0.1:8000"], "{}", edge.name);
        }
        assert_eq!(both[0].ports.get(EDGE), Some(&8000), "the port of all is shown once");
    }

    #[test]
    fn users_never_reach_the_staging_edge_and_it_is_no_instance_of_the_edge() {
        let choices = choices(&["edge=2"], &[]);
        let base = &edges(&choices)[0];
        let staging = staging(base, &choices);
        assert_eq!((staging.name.as_str(), staging.service()), (STAGING, STAGING));
        assert_eq!(variable(&staging, "PUBLIC_ADDR"), ["127.0.0.1:8010"]);
        assert_eq!(variable(&staging, "ADMIN_ADDR"), ["127.0.0.1:9139"]);
        assert!(variable(&staging, "EDGE_SHARED_ADDR").is_empty());
        assert_eq!(variable(&staging, "MAX_IN_FLIGHT"), [IN_FLIGHT], "otherwise as the first edge");
        assert_eq!(staging.after, base.after);
        assert_eq!(staging.ports.into_values().collect::<Vec<_>>(), [8010, 9139]);
    }
}
