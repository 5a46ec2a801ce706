//! Checks of a lab on one machine, and of what its programs are built from.

use super::Looked;
use crate::{Baseline, Facts};

pub(super) fn listeners(facts: &Facts, baseline: &Baseline) -> Option<Looked> {
    let listeners = facts.listeners.as_ref()?;
    Some(Looked::at(
        listeners,
        |listener| {
            let allowed = baseline.listen.contains(&listener.address);
            (!allowed).then(|| format!("listens on {}:{}", listener.address, listener.port))
        },
        |listener| listener.part.clone(),
    ))
}

pub(super) fn switches(facts: &Facts, _: &Baseline) -> Option<Looked> {
    let (switches, listeners) = (facts.switches.as_ref()?, facts.listeners.as_ref()?);
    let reached = |part: &str| {
        listeners.iter().any(|listener| listener.part == part && !listener.address.is_loopback())
    };
    Some(Looked::at(
        switches,
        |switch| {
            let wrong = switch.open && reached(&switch.part);
            wrong.then(|| format!("{} answers without a token, to other machines too", switch.path))
        },
        |switch| switch.part.clone(),
    ))
}

/// What others must not have. A group may pass through a folder, as PostgreSQL's own user does, and reads nothing by that.
const CLOSED: u32 = 0o067;

pub(super) fn files(facts: &Facts, _: &Baseline) -> Option<Looked> {
    let files = facts.files.as_ref()?;
    Some(Looked::at(
        files,
        |file| (file.mode & CLOSED != 0).then(|| format!("has mode {:04o}", file.mode)),
        |file| file.path.clone(),
    ))
}

pub(super) fn packages(facts: &Facts, baseline: &Baseline) -> Option<Looked> {
    let packages = facts.packages.as_ref()?;
    Some(Looked::at(
        packages,
        |package| {
            let refused = baseline.refused.iter().find(|refused| {
                refused.package == package.name && numbers(&package.version) < numbers(&refused.below)
            })?;
            Some(format!("{} is below {}: {}", package.version, refused.below, refused.advisory))
        },
        |package| package.name.clone(),
    ))
}

/// A version as numbers, `1.2.3-rc.1+x` as 1, 2, 3.
fn numbers(version: &str) -> Vec<u64> {
    let release = version.split(['-', '+']).next().unwrap_or(version);
    release.split('.').map(|number| number.parse().unwrap_or(0)).collect()
}

#[cfg(test)]
mod tests {
    use super::numbers;

    #[test]
    fn versions_are_compared_as_numbers() {
        assert!(numbers("0.4.10") > numbers("0.4.9"));
        assert!(numbers("1.0.0-rc.1") >= numbers("1.0.0"));
        assert!(numbers("0.9.3+spec-1.1.0") < numbers("0.10.0"));
    }
}
