//! What should run.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Setting, Settings};
use crate::run::Change;

/// The canary's version where there is none.
pub(super) const NONE: &str = "none";

/// What becomes of something that was changed by hand.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    strum::Display,
    strum::EnumString,
    strum::VariantNames,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Drift {
    /// It is set back.
    #[default]
    Heal,
    /// It is shown, and stays.
    Keep,
}

/// What a rule of the firewall does with a request that it finds.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    strum::Display,
    strum::EnumString,
    strum::VariantNames,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Mode {
    /// The rule does not run.
    Off,
    /// It runs, and is counted.
    Simulate,
    /// It refuses.
    Enforce,
}

/// The new version during a release. A baseline of the old one has the same weight.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Canary {
    /// The new version.
    pub version: String,
    /// Percent of the requests, 0 to 50.
    pub weight: u32,
}

/// A service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Service {
    /// Its version.
    pub version: String,
    /// The new version, during a release.
    pub canary: Option<Canary>,
    /// Its flags that are decided here: protections by name, and whether each is on; others may be whatever they are.
    pub flags: BTreeMap<String, bool>,
}

/// What every client may send.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Limit {
    /// Requests per second, 0.01 to 1,000,000.
    pub rps: f64,
    /// Requests at once, 1 to 1,000,000.
    pub burst: u32,
}

/// What should run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Desired {
    /// Services by name.
    pub services: BTreeMap<String, Service>,
    /// What every client may send; nothing: not decided here.
    pub limit: Option<Limit>,
    /// Whether the firewall is on; nothing: not decided here.
    pub firewall: Option<bool>,
    /// Modes of rules that are decided here, by the rule's name.
    pub modes: BTreeMap<String, Mode>,
    /// The files of rules that are decided here, by the rule's name.
    pub rules: BTreeMap<String, String>,
    /// What becomes of something that was changed by hand.
    pub drift: Drift,
}

impl Desired {
    /// The same as a flat list.
    #[must_use]
    pub fn settings(&self) -> Settings {
        let mut settings = Settings::new();
        for (name, service) in &self.services {
            let service_of = || name.clone();
            settings.insert(Setting::Version { service: service_of() }, service.version.clone());
            let canary = service.canary.as_ref();
            let version = canary.map_or(NONE, |canary| canary.version.as_str());
            settings.insert(Setting::Canary { service: service_of() }, version.to_owned());
            let weight = canary.map_or(0, |canary| canary.weight);
            settings.insert(Setting::Weight { service: service_of() }, weight.to_string());
            for (flag, on) in &service.flags {
                let setting = Setting::Flag { service: service_of(), flag: flag.clone() };
                settings.insert(setting, on.to_string());
            }
        }
        if let Some(Limit { rps, burst }) = self.limit {
            settings.insert(Setting::Limit, format!("rps={rps} burst={burst}"));
        }
        if let Some(on) = self.firewall {
            settings.insert(Setting::Firewall, on.to_string());
        }
        let modes = self.modes.iter();
        settings.extend(modes.map(|(rule, mode)| (Setting::Mode { rule: rule.clone() }, mode.to_string())));
        let rules = self.rules.iter();
        settings.extend(rules.map(|(rule, text)| (Setting::Rule { rule: rule.clone() }, text.clone())));
        settings
    }

    /// The state after a step of a release; none if the service is unknown, or the change is a revert, which is a matter
    /// of the repository.
    #[must_use]
    pub fn with(&self, change: &Change) -> Option<Self> {
        let mut desired = self.clone();
        let (service, version, weight) = match change {
            Change::Canary { service, version, weight } => (service, version, Some(*weight)),
            Change::Promote { service, version } => (service, version, None),
            Change::Revert { .. } => return None,
        };
        let service = desired.services.get_mut(service)?;
        service.canary = weight.map(|weight| Canary { version: version.clone(), weight });
        if weight.is_none() {
            service.version.clone_from(version);
        }
        Some(desired)
    }
}
