//! Ports for servers that must be told one: Redis, PostgreSQL and Apache Kafka do not say which they got for port 0.
//!
//! Invariant: a port belongs to one process from the moment that it asks until it ends. It claims it from every other test
//! process, and nobody else gets it by chance: the range lies below the ports that systems give to outgoing connections and for
//! port 0 (from 32768 on Linux, from 49152 elsewhere).

use std::{
    net::{SocketAddr, TcpListener},
    ops::Range,
};

use parking_lot::Mutex;

use crate::Claim;

/// Above the ports of a lab, and of the labs that tests start.
const RANGE: Range<u16> = 26_000..32_000;

/// What this process holds until it ends.
static HELD: Mutex<Vec<Claim>> = Mutex::new(Vec::new());

/// A loopback address on which nothing listens, and that no other test gets while this process lives.
///
/// # Panics
/// When all are taken.
#[must_use]
pub fn free_addr() -> SocketAddr {
    let count = u32::from(RANGE.end - RANGE.start);
    // Processes begin at different places, so that they seldom ask for the same port.
    let begin = std::process::id().wrapping_mul(61) % count;
    let places = (0..count).filter_map(|step| u16::try_from((begin + step) % count).ok());
    let found = places.map(|place| RANGE.start + place).find_map(|port| Some((port, claim(port)?)));
    let (port, claim) = found.expect("a free port, and a /tmp that can be written to");
    HELD.lock().push(claim);
    ([127, 0, 0, 1], port).into()
}

/// `None` when somebody has it, or listens: a server of a test process that was killed ends a moment later.
fn claim(port: u16) -> Option<Claim> {
    let claim = Claim::of(&port.to_string())?;
    TcpListener::bind(("127.0.0.1", port)).ok().map(|_| claim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_gets_a_port_twice_even_if_nothing_listens_on_it() {
        let ports: Vec<u16> = (0..50).map(|_| free_addr().port()).collect();
        assert_eq!(ports.iter().collect::<std::collections::BTreeSet<_>>().len(), 50);
        assert!(ports.iter().all(|port| RANGE.contains(port) && claim(*port).is_none()));
    }

    #[test]
    fn a_port_on_which_another_program_listens_is_left_to_it() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        assert!(claim(listener.local_addr().unwrap().port()).is_none());
    }
}
