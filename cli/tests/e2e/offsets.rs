//! The ports of the labs of tests.

use std::{collections::BTreeMap, iter, ops::Range};

use testkit::Claim;

/// By how much the ports of these labs are moved, in steps: no two of them have one in common, nor has a lab with the
/// usual ports. All stay below those of the servers of tests, from 26000 on. Offsets from 9160 on are labs of xtask.
const OFFSETS: Range<u16> = 5..36;
/// Where two ports of a lab differ by a multiple of it, they do so by more steps than there are.
const OFFSET: u16 = 260;

/// An offset that no other test process uses as long as the claim is held.
pub(crate) fn offset() -> (u16, Claim) {
    let count = OFFSETS.end - OFFSETS.start;
    let begin = u16::try_from(std::process::id() % u32::from(count)).expect("below the count");
    let offsets = (0..count).map(|step| (OFFSETS.start + (begin + step) % count) * OFFSET);
    let mut claimed = offsets.filter_map(|offset| Some((offset, Claim::of(&format!("lab-{offset}"))?)));
    claimed.next().expect("an offset that nobody uses")
}

#[test]
fn no_two_labs_of_tests_have_a_port_in_common() {
    let table = include_str!("../../src/parts/ports.rs");
    let rows = table.lines().filter_map(|line| line.trim().strip_prefix("port(\"")?.strip_suffix("),"));
    let number = |row: &str| -> Option<u16> { row.rsplit(' ').next()?.parse().ok() };
    let ports: Vec<u16> = rows.map(|row| number(row).unwrap_or_else(|| panic!("no port: {row}"))).collect();
    assert!(ports.len() > 50, "{ports:?}");
    let mut taken = BTreeMap::new();
    for offset in iter::once(0).chain(OFFSETS.map(|step| step * OFFSET)) {
        assert!(offset < 9_160, "{offset} is for labs of xtask");
        for port in ports.iter().map(|port| port + offset) {
            let other = taken.insert(port, offset);
            assert_eq!(other, None, "{port} belongs to the lab at {offset} too");
            assert!(port < 26_000, "{port} at {offset}");
        }
    }
}
