//! What a lab on one machine runs during a release: which version of each service, and the canary with its baseline.
//!
//! The control room writes the [`Fleet`] that should run, the supervisor of the lab reconciles it and writes its [`Standing`].
//! Both are small files in the folder [`FOLDER`] of the lab, so that either of the two can be killed and continues.

mod build;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

pub use self::build::{Build, Version, is_name};
use crate::{
    desired::{self, Desired, Service},
    run::Change,
};

/// The folder of all these files, in the lab's own.
pub const FOLDER: &str = "releases";
/// The [`Fleet`], in [`FOLDER`].
pub const FILE: &str = "fleet.json";
/// The [`Standing`], in [`FOLDER`].
pub const STANDING: &str = "standing.json";
/// The folder of registered builds, in [`FOLDER`]; each is a [`Registered`] named by [`registered`].
pub const BUILDS: &str = "builds";

/// The file of a build, in [`BUILDS`].
#[must_use]
pub fn registered(service: &str, version: &str) -> String {
    format!("{service}@{version}.json")
}

/// A build that may be released.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registered {
    /// How it is started.
    pub build: Build,
    /// When its change was written: the start of the lead time.
    pub written: chrono::DateTime<chrono::Utc>,
}

/// The new version during a release. A baseline of the old one has the same weight.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trial {
    /// The new version.
    pub version: Version,
    /// Percent of the requests for the canary, and as much for the baseline: 0 to 50.
    pub weight: u32,
}

/// The instances of a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Crew {
    /// Of every instance but the canary.
    pub version: Version,
    /// The new version, during a release.
    pub canary: Option<Trial>,
}

/// What should run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fleet {
    /// Grows with every change.
    pub revision: u64,
    /// The services that have been released since the lab was started, by name; others run what `lab up` began with.
    pub services: BTreeMap<String, Crew>,
}

impl Fleet {
    /// The same as desired state.
    #[must_use]
    pub fn desired(&self) -> Desired {
        let service = |crew: &Crew| Service {
            version: crew.version.name.clone(),
            canary: crew
                .canary
                .as_ref()
                .map(|trial| desired::Canary { version: trial.version.name.clone(), weight: trial.weight }),
            flags: BTreeMap::new(),
        };
        let services = self.services.iter().map(|(name, crew)| (name.clone(), service(crew)));
        Desired { services: services.collect(), ..Desired::default() }
    }

    /// What should run after a step of the release of `service` from `old` to `new`. The same step twice is the same fleet with
    /// a higher revision, so a step may be repeated after a crash.
    #[must_use]
    pub fn with(&self, change: &Change, service: &str, old: &Version, new: &Version) -> Self {
        let (version, canary) = match change {
            Change::Canary { weight, .. } => (old, Some(Trial { version: new.clone(), weight: *weight })),
            Change::Promote { .. } => (new, None),
            Change::Revert { .. } => (old, None),
        };
        let mut fleet = self.clone();
        fleet.revision = fleet.revision.saturating_add(1);
        fleet.services.insert(service.to_owned(), Crew { version: version.clone(), canary });
        fleet
    }
}

/// Where canary and baseline of a service are scraped: the value of the label `instance`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pair {
    /// The canary.
    pub canary: String,
    /// The baseline.
    pub baseline: String,
}

/// What the supervisor of the lab says about its fleet.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// The revision that it works on; 0 before the first one.
    pub revision: u64,
    /// Whether all of it is in force, and every instance that it needs is ready.
    pub settled: bool,
    /// Services of which something is not in force yet.
    #[serde(default)]
    pub busy: BTreeSet<String>,
    /// What is not as it should be, each in a sentence.
    pub open: Vec<String>,
    /// What does not start and keeps crashing, by service, in a sentence: waiting longer does not help.
    pub failed: BTreeMap<String, String>,
    /// Services that can be released, with the version that runs.
    pub versions: BTreeMap<String, String>,
    /// Canary and baseline of the services that have them.
    pub pairs: BTreeMap<String, Pair>,
}

impl Standing {
    /// Whether what `fleet` says about a service is in force. Another service that is being released does not matter: its canary
    /// may never become ready.
    #[must_use]
    pub fn has(&self, fleet: &Fleet, service: &str) -> bool {
        self.revision == fleet.revision && (self.settled || !self.busy.contains(service))
    }
}

/// Shares of the requests to a service, in percent: all instances that stay, baseline, canary. They are 100 together; more than
/// 50 for the canary counts as 50.
#[must_use]
pub fn shares(weight: u32) -> [u32; 3] {
    let weight = weight.min(50);
    [100 - 2 * weight, weight, weight]
}
