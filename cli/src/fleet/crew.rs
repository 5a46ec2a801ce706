//! The instances of one service: those that stay, and during a release its baseline and its canary.

use std::collections::BTreeMap;

use release::{
    desired::{Seen, Setting},
    fleet::{Build, Pair, Version},
};
use supervisor::{Part, part::Line, probe::Probe};

use crate::parts::table::Choices;

/// What the two that a release compares are called. An order that one of them accepts carries this name.
const ROLES: [&str; 2] = ["baseline", "canary"];

/// What runs of a service.
pub(crate) struct Crew {
    /// As `lab up` made them; the first one is what canary and baseline are made from.
    parts: Vec<Part>,
    /// Public and admin port of the baseline, then of the canary.
    ports: [(u16, u16); 2],
    /// Of all that stay.
    pub(crate) version: Version,
    /// Whether all of them have it: not while they change, or if that failed.
    pub(crate) known: bool,
    /// The version of the canary, if there is one.
    pub(crate) canary: Option<Version>,
    /// Percent of the requests that the canary has.
    pub(crate) weight: u32,
    /// How the edge splits the requests, if it does: all that stay, baseline, canary.
    pub(crate) shares: Option<[u32; 3]>,
}

impl Crew {
    /// As it starts; none if the lab has no such service.
    pub(super) fn of(service: &'static str, choices: &Choices, parts: &[Part]) -> Option<Self> {
        let parts: Vec<Part> = parts.iter().filter(|part| part.service() == service).cloned().collect();
        parts.first()?;
        let number = |name: &str| choices.ports.get(name);
        let ports = ROLES
            .map(|role| (number(&format!("{service}-{role}")), number(&format!("{service}-{role}-admin"))));
        let version = Version::built(env!("CARGO_PKG_VERSION"));
        Some(Self { parts, ports, version, known: true, canary: None, weight: 0, shares: None })
    }

    /// Names of the baseline and the canary.
    pub(super) fn guests(&self) -> [String; 2] {
        let service = self.parts.first().map_or("", |part| part.service());
        ROLES.map(|role| format!("{service}-{role}"))
    }

    /// Public ports of the baseline and the canary.
    pub(super) fn public(&self) -> [u16; 2] {
        self.ports.map(|(public, _)| public)
    }

    /// Where Prometheus finds them.
    pub(super) fn pair(&self) -> Option<Pair> {
        self.canary.as_ref()?;
        let [baseline, canary] = self.ports.map(|(_, admin)| format!("127.0.0.1:{admin}"));
        Some(Pair { canary, baseline })
    }

    /// How it is, as the reconciler sees it.
    pub(super) fn seen(&self, service: &str) -> [(Setting, Seen); 3] {
        let service_of = || service.to_owned();
        let version = if self.known { Seen::Value(self.version.name.clone()) } else { Seen::Absent };
        let canary = self.canary.as_ref().map_or(Seen::Absent, |canary| Seen::Value(canary.name.clone()));
        [
            (Setting::Version { service: service_of() }, version),
            (Setting::Canary { service: service_of() }, canary),
            (Setting::Weight { service: service_of() }, Seen::Value(self.weight.to_string())),
        ]
    }

    /// A baseline of what runs, and a canary of a new version.
    pub(super) fn instances(&self, new: &Version, data: &std::path::Path) -> Vec<Part> {
        let versions = [&self.version, new];
        let all = self.guests().into_iter().zip(ROLES).zip(self.ports).zip(versions);
        let made = all.map(|(((name, role), ports), version)| {
            self.parts.first().map(|base| instance(base, (&name, role), ports, version, data))
        });
        made.flatten().collect()
    }

    /// Names of all that stay, and what each of them runs if it is of this version.
    pub(super) fn staying(&self, version: &Version) -> Vec<(String, Line)> {
        let line = |part: &Part| (part.name.clone(), versioned(part.command.clone(), &version.build));
        self.parts.iter().map(line).collect()
    }
}

/// A further instance: the same service on other ports, with a folder of its own.
fn instance(
    base: &Part,
    (name, role): (&str, &str),
    (public, admin): (u16, u16),
    version: &Version,
    data: &std::path::Path,
) -> Part {
    let local = |port: u16| format!("127.0.0.1:{port}");
    let mut part = base.clone();
    part.instance_of = Some(base.service().to_owned());
    name.clone_into(&mut part.name);
    part.ports = BTreeMap::from([(name.to_owned(), public), (format!("{name}-admin"), admin)]);
    part.admin = Some(format!("http://{}", local(admin)));
    part.probe = Probe::Http(format!("http://{}/readyz", local(admin)));
    part.after.clear();
    let data = data.join(name);
    part.memory_max = Some(data.join("memory.max"));
    part.command = versioned(part.command, &version.build)
        .env("PUBLIC_ADDR", local(public))
        .env("ADMIN_ADDR", local(admin))
        .env("DATA_DIR", data.to_string_lossy())
        .env("RELEASE_TRACK", role);
    part
}

/// The command of a version.
fn versioned(mut line: Line, build: &Build) -> Line {
    if let Some(binary) = &build.binary {
        line.program = binary.into();
    }
    // What a version says itself counts.
    line.fresh.retain(|fresh| !build.env.contains_key(&fresh.name));
    let line = line.args(build.flags.iter().map(|(flag, value)| format!("--{flag}={value}")));
    build.env.iter().fold(line, |line, (name, value)| line.env(name, value.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_canary_is_the_same_service_elsewhere_and_keeps_what_its_version_does_not_change() {
        let line =
            Line::new("/built/order-api").env("DATABASE_URL", "secret").env("PUBLIC_ADDR", "127.0.0.1:8001");
        let base = Part::new("order-api", line, Probe::Http(String::new())).port("order-api", 8001);
        let build = Build {
            binary: Some("/new/order-api".to_owned()),
            flags: BTreeMap::from([("user-service-timeout".to_owned(), "1ms".to_owned())]),
            env: BTreeMap::from([("RUST_LOG".to_owned(), "debug".to_owned())]),
        };
        let version = Version { name: "v2".to_owned(), build };
        let data = std::path::Path::new("/lab/data");
        let part = instance(&base, ("order-api-canary", "canary"), (8011, 9132), &version, data);
        assert_eq!((part.name.as_str(), part.service()), ("order-api-canary", "order-api"));
        assert_eq!(part.ports.values().copied().collect::<Vec<_>>(), [8011, 9132]);
        assert_eq!(part.command.program, std::path::Path::new("/new/order-api"));
        assert_eq!(part.command.args, ["--user-service-timeout=1ms"]);
        let last = |name: &str| {
            let found = part.command.env.iter().rev().find(|(known, _)| known == name);
            found.map(|(_, value)| value.as_str())
        };
        assert_eq!(last("PUBLIC_ADDR"), Some("127.0.0.1:8011"), "the last one counts");
        assert_eq!(last("DATABASE_URL"), Some("secret"));
        assert_eq!((last("RUST_LOG"), last("DATA_DIR")), (Some("debug"), Some("/lab/data/order-api-canary")));
        assert_eq!(last("RELEASE_TRACK"), Some("canary"));
    }
}
