//! The ports of a lab on loopback: a table, how to move them, and a check that says who holds one that is taken.

use std::{collections::BTreeMap, net::TcpListener};

use anyhow::{Result, bail};

use crate::process;

/// A port that some part listens on.
pub(crate) struct PortSpec {
    /// Name on the command line and in `status`.
    pub(crate) name: &'static str,
    /// Number when nothing else is asked for.
    pub(crate) default: u16,
}

const fn port(name: &'static str, default: u16) -> PortSpec {
    PortSpec { name, default }
}

/// All ports, in the order in which people ask for them.
pub(crate) const PORTS: &[PortSpec] = &[
    port("order-api", 8001),
    port("order-api-admin", 9101),
    port("user-service", 8002),
    port("user-service-admin", 9102),
    port("order-worker-admin", 9103),
    port("load-admin", 9105),
    port("lab-traces-admin", 9106),
    port("lab-kafka-admin", 9107),
    port("lab-pager-admin", 9108),
    port("prometheus", 9090),
    port("alertmanager", 9093),
    port("grafana", 3000),
    port("loki", 3100),
    port("loki-grpc", 9095),
    port("traces-ui", 16686),
    port("otlp-grpc", 4317),
    port("otlp-http", 4318),
    port("postgres", 5432),
    port("redis", 6379),
    port("kafka", 9092),
    port("kafka-controller", 9094),
];

/// One `--port NAME=NUMBER`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PortChoice {
    name: String,
    number: u16,
}

/// Reads `NAME=NUMBER`.
///
/// # Errors
/// A sentence that says what would be right.
pub(crate) fn parse_choice(text: &str) -> Result<PortChoice, String> {
    let (name, number) = text.split_once('=').ok_or("expected NAME=NUMBER, such as order-api=18001")?;
    if !PORTS.iter().any(|port| port.name == name) {
        return Err(format!("no port is called `{name}`; there are: {}", names()));
    }
    match number.parse() {
        Ok(number) if number > 0 => Ok(PortChoice { name: name.to_owned(), number }),
        _ => Err(format!("`{number}` is not a port: 1 to 65535")),
    }
}

fn names() -> String {
    PORTS.iter().map(|port| port.name).collect::<Vec<_>>().join(", ")
}

/// The numbers of one lab.
#[derive(Debug, Clone)]
pub(crate) struct Ports(BTreeMap<&'static str, u16>);

impl Ports {
    /// The defaults, all moved by `offset`, then the single choices.
    ///
    /// # Errors
    /// When a number leaves the range or two ports get the same one.
    pub(crate) fn choose(offset: u16, choices: &[PortChoice]) -> Result<Self> {
        let mut numbers = BTreeMap::new();
        for spec in PORTS {
            let chosen = choices.iter().rev().find(|choice| choice.name == spec.name);
            let Some(number) = chosen.map(|choice| choice.number).or(spec.default.checked_add(offset)) else {
                bail!("--port-offset {offset} moves {} ({}) beyond 65535", spec.name, spec.default);
            };
            if let Some((other, _)) = numbers.iter().find(|(_, taken)| **taken == number) {
                bail!("{} and {other} cannot both have port {number}", spec.name);
            }
            numbers.insert(spec.name, number);
        }
        Ok(Self(numbers))
    }

    /// The number of a port.
    ///
    /// # Panics
    /// When the table has no such port: a mistake in the code, which every start would show.
    pub(crate) fn get(&self, name: &str) -> u16 {
        self.0[name]
    }
}

/// Checks that the ports of `wanted` (port name, number, part) are free before anything starts.
///
/// # Errors
/// Every taken port, with the part that needs it and the process that holds it.
pub(crate) fn check_free<'a>(wanted: impl Iterator<Item = (&'a str, u16, &'a str)>) -> Result<()> {
    let mut taken = Vec::new();
    for (name, number, part) in wanted {
        if TcpListener::bind(("127.0.0.1", number)).is_err() {
            let holder = process::port_holder(number)
                .unwrap_or_else(|| "a process that this user cannot see".to_owned());
            taken.push(format!("port {number} ({name}), which {part} needs, is taken by {holder}"));
        }
    }
    if taken.is_empty() {
        return Ok(());
    }
    bail!(
        "{}\nstop what holds it, or move: one port with --port NAME=NUMBER, all with --port-offset 10000",
        taken.join("\n")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_moved_together_and_one_by_one() {
        let choices = [parse_choice("redis=7000").unwrap()];
        let ports = Ports::choose(10_000, &choices).unwrap();
        assert_eq!((ports.get("order-api"), ports.get("redis")), (18_001, 7000));
    }

    #[test]
    fn a_port_that_does_not_exist_is_answered_with_those_that_do() {
        let problem = parse_choice("order=1").unwrap_err();
        assert!(problem.contains("order-api-admin"), "{problem}");
        assert!(parse_choice("redis=0").is_err());
    }

    #[test]
    fn two_parts_on_one_port_are_refused() {
        let problem = Ports::choose(0, &[parse_choice("redis=9090").unwrap()]).unwrap_err().to_string();
        assert!(problem.contains("redis") && problem.contains("prometheus"), "{problem}");
    }

    #[test]
    fn a_taken_port_names_port_part_and_holder() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let number = listener.local_addr().unwrap().port();
        let problem = check_free([("redis", number, "redis")].into_iter()).unwrap_err().to_string();
        assert!(problem.contains(&number.to_string()), "{problem}");
        assert!(problem.contains("redis needs"), "{problem}");
        assert!(problem.contains(&format!("pid {}", std::process::id())), "{problem}");
    }
}
