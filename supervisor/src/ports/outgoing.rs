//! The ports that the system uses for outgoing connections: a server on one of them may not get it back after a
//! restart.

use std::{fs, ops::RangeInclusive};

/// The range of those ports.
#[derive(Debug, Clone)]
pub struct Outgoing {
    range: RangeInclusive<u16>,
    /// Excluded from the range.
    reserved: Vec<RangeInclusive<u16>>,
}

/// If the system does not say: the range that IANA reserves for this, and that macOS uses.
const USUAL: RangeInclusive<u16> = 49_152..=65_535;

impl Outgoing {
    /// As configured on this system.
    #[must_use]
    pub fn here() -> Self {
        let read = |name| fs::read_to_string(format!("/proc/sys/net/ipv4/{name}")).unwrap_or_default();
        Self::parse(&read("ip_local_port_range"), &read("ip_local_reserved_ports"))
    }

    pub(super) fn parse(range: &str, reserved: &str) -> Self {
        let mut bounds = range.split_whitespace().filter_map(|bound| bound.parse().ok());
        let range = bounds.next().zip(bounds.next()).map_or(USUAL, |(first, last)| first..=last);
        let reserved = reserved.trim().split(',').filter_map(|part| {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            Some(first.parse().ok()?..=last.parse().ok()?)
        });
        Self { range, reserved: reserved.collect() }
    }

    /// Whether an outgoing connection may hold this port.
    #[must_use]
    pub fn may_hold(&self, port: u16) -> bool {
        self.range.contains(&port) && !self.reserved.iter().any(|range| range.contains(&port))
    }
}

impl std::fmt::Display for Outgoing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} to {}", self.range.start(), self.range.end())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_range_is_the_systems_without_what_is_reserved() {
        let ports = Outgoing::parse("32768\t60999\n", "40000-40010,50000\n");
        assert_eq!(ports.to_string(), "32768 to 60999");
        let held: Vec<u16> = [32_767, 32_768, 40_005, 40_011, 50_000, 60_999, 61_000]
            .into_iter()
            .filter(|port| ports.may_hold(*port))
            .collect();
        assert_eq!(held, [32_768, 40_011, 60_999]);
        assert_eq!(Outgoing::parse("", "").to_string(), "49152 to 65535");
    }
}
