//! What `lab up` keeps in `state.json` about the parts of a lab on this machine, as far as it is needed here.

use std::{collections::BTreeMap, fs, io::ErrorKind};

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::{Lab, STOPPABLE, instance, process::Process};
use crate::{Error, Result};

/// What may be stopped besides the services. Neither the stores nor what watches: nothing here may take away
/// the ground that everybody stands on.
const ALSO: [&str; 1] = ["load"];

/// The lab as a whole.
#[derive(Debug, Deserialize)]
pub(crate) struct State {
    supervisor: Process,
    phase: Phase,
    parts: Vec<Part>,
}

#[derive(Debug, Deserialize)]
struct Phase {
    name: String,
}

/// One part.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Part {
    /// Its name.
    pub(crate) name: String,
    instance_of: Option<String>,
    admin: Option<String>,
    /// Ports that it listens on, by name.
    pub(crate) ports: BTreeMap<String, u16>,
    /// `ready`, once it has been since its last start.
    pub(crate) status: String,
    /// Its process, if there is one.
    pub(crate) process: Option<Process>,
    /// When that was started.
    pub(crate) started_at: Option<DateTime<Utc>>,
}

impl Lab {
    /// Its name: [`instance`].
    #[must_use]
    pub fn instance(&self) -> String {
        instance(&self.root, &self.dir)
    }

    /// Whether the lab that runs here has this part.
    #[must_use]
    pub fn has(&self, part: &str) -> bool {
        self.state().is_ok_and(|state| state.part(part).is_some())
    }

    /// The state of the lab that runs here.
    ///
    /// # Errors
    /// When none runs, it is stopping, or nobody would start a process again.
    pub(crate) fn state(&self) -> Result<State> {
        let path = self.dir.join("state.json");
        let none = || {
            Error::not_here(
                format!("no lab runs in {}", self.dir.display()),
                "start one with `lab up`, or set LAB_DIR to its folder",
            )
        };
        let text = fs::read(&path).map_err(|error| match error.kind() {
            ErrorKind::NotFound => none(),
            _ => Error::Lab(format!("cannot read {}: {error}", path.display())),
        })?;
        let state: State = serde_json::from_slice(&text)
            .map_err(|error| Error::Lab(format!("{} is of another version: {error}", path.display())))?;
        if !state.supervisor.alive() {
            let what = "the lab's supervisor does not run, so nothing would be started again";
            return Err(Error::not_here(what, "recover with `lab up`"));
        }
        match state.phase.name.as_str() {
            "starting" | "ready" => Ok(state),
            other => Err(Error::not_here(format!("the lab is {other}"), "wait, or see `lab status`")),
        }
    }
}

impl State {
    /// The services that `wanted` means: all instances, or one.
    ///
    /// # Errors
    /// When there is none of that name; lists those that exist.
    pub(crate) fn services(&self, wanted: &str) -> Result<Vec<Part>> {
        self.chosen(wanted, |part| part.admin.is_some())
    }

    /// As [`State::services`], and what else may be stopped.
    ///
    /// # Errors
    /// As [`State::services`].
    pub(crate) fn restartable(&self, wanted: &str) -> Result<Vec<Part>> {
        self.chosen(wanted, |part| part.admin.is_some() || ALSO.contains(&part.name.as_str()))
    }

    /// The parts that a drill may stop, by the name of a part or of a service.
    ///
    /// # Errors
    /// When it is none of them; lists those that exist.
    pub(crate) fn stoppable(&self, wanted: &str) -> Result<Vec<Part>> {
        self.chosen(wanted, |part| STOPPABLE.contains(&part.service()))
    }

    /// A part by its name.
    pub(crate) fn part(&self, name: &str) -> Option<&Part> {
        self.parts.iter().find(|part| part.name == name)
    }

    /// The part that answers requests at this address.
    pub(crate) fn listening(&self, endpoint: &str) -> Option<&str> {
        let port: u16 = endpoint.strip_prefix("127.0.0.1:")?.parse().ok()?;
        let found = self.parts.iter().find(|part| part.ports.get(&part.name) == Some(&port));
        found.map(|part| part.name.as_str())
    }

    fn chosen(&self, wanted: &str, may: impl Fn(&Part) -> bool) -> Result<Vec<Part>> {
        let known: Vec<&Part> = self.parts.iter().filter(|part| may(part)).collect();
        let found: Vec<Part> = known.iter().copied().filter(|part| part.is(wanted)).cloned().collect();
        if found.is_empty() {
            let names: Vec<&str> = known.iter().map(|part| part.name.as_str()).collect();
            return Err(Error::NoService(wanted.to_owned(), names.join(", ")));
        }
        Ok(found)
    }
}

impl Part {
    /// The service that it is an instance of.
    pub(crate) fn service(&self) -> &str {
        self.instance_of.as_deref().unwrap_or(&self.name)
    }

    /// Host and port of its admin port, as Prometheus writes them in the label `instance`.
    pub(crate) fn address(&self) -> Option<String> {
        let of_url = |url: &String| url.strip_prefix("http://").map(str::to_owned);
        let port = self.ports.get(&format!("{}-admin", self.name));
        let of_port = || port.map(|port| format!("127.0.0.1:{port}"));
        self.admin.as_ref().and_then(of_url).or_else(of_port)
    }

    fn is(&self, wanted: &str) -> bool {
        means(self.service(), &self.name, wanted)
    }
}

/// Whether `wanted` means this instance: it is its service, its name, or, for the first one, the name with
/// its number.
pub(crate) fn means(service: &str, name: &str, wanted: &str) -> bool {
    let first = name == service && wanted.strip_suffix("-1") == Some(service);
    wanted == service || wanted == name || first
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn state() -> State {
        let part = |name: &str, of: Option<&str>, admin: Option<&str>| {
            json!({
                "name": name, "instance_of": of, "admin": admin, "ports": { (format!("{name}-admin")): 9105 },
                "probe": { "http": "x" }, "stop": "term", "status": "ready", "ready_ms": 5, "restarts": 0,
                "process": { "pid": 7, "started": 8 }, "started_at": "2026-06-01T12:00:00Z",
                "last_exit": null, "log": "x",
            })
        };
        let parts = [
            part("postgres", None, None),
            part("control-room", None, None),
            part("order-api", None, Some("http://127.0.0.1:9101")),
            part("order-api-2", Some("order-api"), Some("http://127.0.0.1:9131")),
            part("load", None, None),
        ];
        let me = std::process::id();
        serde_json::from_value(json!({
            "supervisor": { "pid": me, "started": 1 }, "phase": { "name": "ready" }, "parts": parts,
        }))
        .unwrap()
    }

    #[test]
    fn services_and_the_load_may_be_stopped_and_nothing_else() {
        let state = state();
        let names = |wanted: &str| {
            let parts = state.restartable(wanted).map_err(|error| error.to_string());
            parts.map(|parts| parts.into_iter().map(|part| part.name).collect::<Vec<_>>())
        };
        assert_eq!(names("order-api").unwrap(), ["order-api", "order-api-2"]);
        assert_eq!(names("order-api-1").unwrap(), ["order-api"]);
        assert_eq!(names("order-api-2").unwrap(), ["order-api-2"]);
        assert_eq!(names("load").unwrap(), ["load"]);
        for other in ["postgres", "control-room", "../x"] {
            let said = names(other).unwrap_err();
            assert!(said.ends_with("there are: order-api, order-api-2, load"), "{said}");
        }
        assert!(state.services("load").is_err(), "it has no files, and no letters");
    }

    #[test]
    fn a_drill_stops_a_store_or_a_service_and_nothing_that_looks_on() {
        let mut state = state();
        for name in ["user-service", "user-service-2"] {
            let mut part = state.parts[0].clone();
            name.clone_into(&mut part.name);
            part.instance_of = (name != "user-service").then(|| "user-service".to_owned());
            state.parts.push(part);
        }
        let names = |wanted: &str| {
            let parts = state.stoppable(wanted).map_err(|error| error.to_string());
            parts.map(|parts| parts.into_iter().map(|part| part.name).collect::<Vec<_>>())
        };
        assert_eq!(names("postgres").unwrap(), ["postgres"]);
        assert_eq!(names("user-service").unwrap(), ["user-service", "user-service-2"], "the whole service");
        assert_eq!(names("user-service-2").unwrap(), ["user-service-2"]);
        for other in ["control-room", "order-api", "load", "../x"] {
            let said = names(other).unwrap_err();
            assert!(said.ends_with("there are: postgres, user-service, user-service-2"), "{said}");
        }
    }

    #[test]
    fn the_address_is_that_of_the_admin_port() {
        let state = state();
        let address = |name: &str| state.part(name).and_then(Part::address).unwrap();
        assert_eq!([address("order-api-2"), address("load")], ["127.0.0.1:9131", "127.0.0.1:9105"]);
    }

    #[test]
    fn without_a_state_the_next_step_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let lab = Lab { root: "/".into(), dir: folder.path().into(), program: "lab".into() };
        let said = lab.state().unwrap_err().to_string();
        assert!(said.starts_with("no lab runs in ") && said.contains("`lab up`"), "{said}");
        std::fs::write(folder.path().join("state.json"), "{}").unwrap();
        assert!(lab.state().unwrap_err().to_string().contains("another version"));
    }
}
