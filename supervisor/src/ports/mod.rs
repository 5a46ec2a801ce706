//! Ports on the loopback interface: the caller's table, options to move them, and a check that names who holds a
//! taken port.

mod outgoing;

use std::{collections::BTreeMap, net::TcpListener};

use crate::{Error, Result, process};

pub use self::outgoing::Outgoing;

/// A port that a part listens on.
#[derive(Debug, Clone, Copy)]
pub struct PortSpec {
    /// Name, by which people choose and see it.
    pub name: &'static str,
    /// The number, unless the user chooses another.
    pub default: u16,
}

/// One choice, `NAME=NUMBER`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortChoice {
    name: String,
    number: u16,
}

/// Reads `NAME=NUMBER`, with a name of the table.
///
/// # Errors
/// A sentence with the expected form.
pub fn parse_choice(table: &[PortSpec], text: &str) -> std::result::Result<PortChoice, String> {
    let example = table.first().map_or("NAME", |port| port.name);
    let (name, number) =
        text.split_once('=').ok_or_else(|| format!("expected NAME=NUMBER, such as {example}=18001"))?;
    if !table.iter().any(|port| port.name == name) {
        return Err(format!("no port is called `{name}`; there are: {}", names(table)));
    }
    match number.parse() {
        Ok(number) if number > 0 => Ok(PortChoice { name: name.to_owned(), number }),
        _ => Err(format!("`{number}` is not a port: 1 to 65535")),
    }
}

fn names(table: &[PortSpec]) -> String {
    table.iter().map(|port| port.name).collect::<Vec<_>>().join(", ")
}

/// The port numbers of one lab.
#[derive(Debug, Clone)]
pub struct Ports {
    table: &'static [PortSpec],
    numbers: BTreeMap<&'static str, u16>,
}

/// Whether the offset moves a port from outside the range of outgoing connections into it.
fn strays(spec: &PortSpec, offset: u16, outgoing: &Outgoing) -> bool {
    let moved = spec.default.checked_add(offset).is_some_and(|number| outgoing.may_hold(number));
    moved && !outgoing.may_hold(spec.default)
}

impl Ports {
    /// The defaults, all moved by `offset`, then the individual choices.
    ///
    /// # Errors
    /// When a number is out of range, two ports get the same one, or the offset moves a port into the range of
    /// outgoing connections: one of those could keep a part from starting, now or at its next restart.
    pub fn choose(
        table: &'static [PortSpec],
        offset: u16,
        choices: &[PortChoice],
        outgoing: &Outgoing,
    ) -> Result<Self> {
        let mut numbers: BTreeMap<&'static str, u16> = BTreeMap::new();
        for spec in table {
            let chosen = choices.iter().rev().find(|choice| choice.name == spec.name);
            if chosen.is_none() && strays(spec, offset, outgoing) {
                let most =
                    (0..offset).rev().find(|less| !table.iter().any(|spec| strays(spec, *less, outgoing)));
                return Err(Error::OffsetStrays {
                    offset,
                    name: spec.name,
                    number: spec.default,
                    outgoing: outgoing.clone(),
                    most: most.unwrap_or_default(),
                });
            }
            let Some(number) = chosen.map(|choice| choice.number).or(spec.default.checked_add(offset)) else {
                return Err(Error::OffsetTooLarge { offset, name: spec.name, number: spec.default });
            };
            if let Some((other, _)) = numbers.iter().find(|(_, taken)| **taken == number) {
                return Err(Error::SamePort(spec.name, other, number));
            }
            numbers.insert(spec.name, number);
        }
        Ok(Self { table, numbers })
    }

    /// Warnings about ports that were chosen individually.
    #[must_use]
    pub fn warnings(&self, outgoing: &Outgoing) -> Vec<String> {
        let risky = self.table.iter().filter(|spec| !outgoing.may_hold(spec.default));
        let risky = risky.map(|spec| (spec.name, self.get(spec.name)));
        risky
            .filter(|(_, number)| outgoing.may_hold(*number))
            .map(|(name, number)| {
                format!(
                    "port {number} ({name}) is among those that the system gives to outgoing connections ({outgoing}): one \
                     of them may hold it when {name} starts again"
                )
            })
            .collect()
    }

    /// The number of a port.
    ///
    /// # Panics
    /// When the table has no such port: a mistake in the code that every start would show.
    #[must_use]
    pub fn get(&self, name: &str) -> u16 {
        self.numbers[name]
    }
}

/// Who holds a port; `None` if it is free.
#[must_use]
pub fn holder(number: u16) -> Option<String> {
    TcpListener::bind(("127.0.0.1", number)).err()?;
    Some(process::port_holder(number).unwrap_or_else(|| "a process that this user cannot see".to_owned()))
}

/// Checks that the ports of `wanted` (port name, number, part) are free before anything starts.
///
/// # Errors
/// Names every taken port, the part that needs it, and the process that holds it.
pub fn check_free<'a>(wanted: impl Iterator<Item = (&'a str, u16, &'a str)>) -> Result<()> {
    let mut taken = Vec::new();
    for (name, number, part) in wanted {
        if let Some(holder) = holder(number) {
            taken.push(format!("port {number} ({name}), which {part} needs, is taken by {holder}"));
        }
    }
    if taken.is_empty() { Ok(()) } else { Err(Error::PortsTaken(taken)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &[PortSpec] = &[
        PortSpec { name: "api", default: 8001 },
        PortSpec { name: "api-admin", default: 9101 },
        PortSpec { name: "metrics", default: 9090 },
        PortSpec { name: "store", default: 6379 },
        PortSpec { name: "traces", default: 16_686 },
    ];

    fn outgoing() -> Outgoing {
        Outgoing::parse("32768 60999", "")
    }

    #[test]
    fn an_offset_into_the_ports_of_outgoing_connections_is_refused_with_the_largest_one_allowed() {
        let problem = Ports::choose(TABLE, 30_000, &[], &outgoing()).unwrap_err().to_string();
        assert!(problem.contains("32768 to 60999") && problem.contains("at most 16081"), "{problem}");
        assert!(Ports::choose(TABLE, 16_082, &[], &outgoing()).is_err());
        assert!(Ports::choose(TABLE, 16_081, &[], &outgoing()).unwrap().warnings(&outgoing()).is_empty());
        // A single port is the user's choice, and if the range contains all ports, there is nothing better.
        let chosen =
            Ports::choose(TABLE, 0, &[parse_choice(TABLE, "store=40000").unwrap()], &outgoing()).unwrap();
        assert_eq!(chosen.warnings(&outgoing()).len(), 1);
        assert!(Ports::choose(TABLE, 100, &[], &Outgoing::parse("1024 65535", "")).is_ok());
    }

    #[test]
    fn ports_are_moved_together_and_one_by_one() {
        let choices = [parse_choice(TABLE, "store=7000").unwrap()];
        let ports = Ports::choose(TABLE, 10_000, &choices, &outgoing()).unwrap();
        assert_eq!((ports.get("api"), ports.get("store")), (18_001, 7000));
    }

    #[test]
    fn an_unknown_port_name_lists_the_known_ones() {
        let problem = parse_choice(TABLE, "order=1").unwrap_err();
        assert!(problem.contains("api-admin"), "{problem}");
        assert!(parse_choice(TABLE, "store=0").is_err());
    }

    #[test]
    fn two_parts_on_one_port_are_refused() {
        let choices = [parse_choice(TABLE, "store=9090").unwrap()];
        let problem = Ports::choose(TABLE, 0, &choices, &outgoing()).unwrap_err().to_string();
        assert!(problem.contains("store") && problem.contains("metrics"), "{problem}");
    }

    #[test]
    fn a_taken_port_names_port_part_and_holder() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let number = listener.local_addr().unwrap().port();
        let problem = check_free([("store", number, "store")].into_iter()).unwrap_err().to_string();
        assert!(problem.contains(&number.to_string()), "{problem}");
        assert!(problem.contains("store needs"), "{problem}");
        let this = format!("pid {}", std::process::id());
        assert!(problem.contains(&this), "{problem}");
        assert!(holder(number).is_some_and(|holder| holder.contains(&this)));
    }
}
