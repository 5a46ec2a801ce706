//! One thing that can be set, and how it was found.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

/// What is wanted, by what it is about.
pub type Settings = BTreeMap<Setting, String>;

/// One thing that can be set.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Setting {
    /// The version of every instance of a service.
    Version {
        /// The service.
        service: String,
    },
    /// The version of its canary, beside which a baseline runs; `none` if there is neither.
    Canary {
        /// The service.
        service: String,
    },
    /// Percent of the requests for its canary, and as much for its baseline.
    Weight {
        /// The service.
        service: String,
    },
    /// Whether a flag of a service is on: `true` or `false`.
    Flag {
        /// The service.
        service: String,
        /// The flag.
        flag: String,
    },
    /// What every client may send: `rps=20 burst=40`.
    Limit,
    /// Whether the firewall is on: `true` or `false`.
    Firewall,
    /// What a rule of the firewall does: `off`, `simulate` or `enforce`.
    Mode {
        /// The rule.
        rule: String,
    },
    /// The file of a rule.
    Rule {
        /// The rule.
        rule: String,
    },
}

impl Setting {
    /// The service that it belongs to, if it is one's.
    #[must_use]
    pub fn service(&self) -> Option<&str> {
        match self {
            Self::Version { service }
            | Self::Canary { service }
            | Self::Weight { service }
            | Self::Flag { service, .. } => Some(service),
            Self::Limit | Self::Firewall | Self::Mode { .. } | Self::Rule { .. } => None,
        }
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version { service } => write!(f, "services.{service}.version"),
            Self::Canary { service } => write!(f, "services.{service}.canary.version"),
            Self::Weight { service } => write!(f, "services.{service}.canary.weight"),
            Self::Flag { service, flag } => write!(f, "services.{service}.flags.{flag}"),
            Self::Limit => f.write_str("limit"),
            Self::Firewall => f.write_str("firewall"),
            Self::Mode { rule } => write!(f, "modes.{rule}"),
            Self::Rule { rule } => write!(f, "waf/{rule}.yaml"),
        }
    }
}

/// How something was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "seen", content = "what", rename_all = "lowercase")]
pub enum Seen {
    /// It has this value.
    Value(String),
    /// It is not set.
    Absent,
    /// Nobody can say.
    Unknown(String),
}

impl Seen {
    /// The value, if it is known and set.
    #[must_use]
    pub fn value(&self) -> Option<&str> {
        match self {
            Self::Value(value) => Some(value),
            Self::Absent | Self::Unknown(_) => None,
        }
    }
}
