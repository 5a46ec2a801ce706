//! What to do so that what runs is what should run, now.
//!
//! Called again and again, each time with what is seen. It answers with the acts of one stage only; the next call sees
//! whether they helped. The stages keep requests safe: a share of the requests goes to a canary only once it is ready, and
//! leaves it before it stops; at the end of a release the service changes its version while canary and baseline answer, and
//! on the way back from there, too.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::{Drift, Seen, Setting, Settings, model::NONE};

/// The longest pause before something that failed is tried again, in seconds.
const LONGEST_PAUSE: i64 = 60;

/// In one word, as GitOps tools say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, strum::Display)]
pub enum Health {
    /// What runs is what should run.
    Synced,
    /// Something differs.
    OutOfSync,
    /// Something cannot be seen, or cannot be done.
    Degraded,
}

/// What was in force at last.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Applied {
    /// The commit.
    pub commit: String,
    /// What it says, as pairs, because JSON has no such keys.
    #[serde(with = "pairs")]
    pub settings: Settings,
}

/// An act that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// When it failed last.
    pub at: DateTime<Utc>,
    /// How many times in a row.
    pub times: u32,
    /// Why.
    pub why: String,
}

/// Everything that a decision rests on.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    /// What should run.
    pub desired: &'a Settings,
    /// What becomes of something that was changed by hand.
    pub drift: Drift,
    /// What was in force at last; none before the first time.
    pub applied: Option<&'a Applied>,
    /// What is seen; what is missing counts as unknown.
    pub live: &'a BTreeMap<Setting, Seen>,
    /// Services whose canary and baseline are ready.
    pub ready: &'a BTreeSet<String>,
    /// Acts that failed and were not done since.
    pub failures: &'a BTreeMap<Setting, Failure>,
    /// Now.
    pub now: DateTime<Utc>,
}

/// Why something is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "cause", rename_all = "lowercase")]
pub enum Cause {
    /// A commit asks for it.
    Change,
    /// It was changed by hand, and is set back.
    Healed,
    /// It was changed by hand, and stays.
    Kept,
    /// Its canary is not ready.
    Waits,
    /// It cannot be seen.
    Unknown {
        /// Why.
        why: String,
    },
    /// It was tried and failed.
    Failing {
        /// Why.
        why: String,
        /// When it is tried again.
        again: DateTime<Utc>,
    },
}

/// Something that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Open {
    /// What.
    pub setting: Setting,
    /// As it should be; nothing if it should not be set.
    pub wanted: Option<String>,
    /// As it is; nothing if it is not set or not known.
    pub found: Option<String>,
    /// Why.
    #[serde(flatten)]
    pub cause: Cause,
}

/// Something to do now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Act {
    /// What to set.
    pub setting: Setting,
    /// To what; nothing: take it back.
    pub to: Option<String>,
}

/// What to do, and how things are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// In one word.
    pub health: Health,
    /// Everything that is not as it should be.
    pub open: Vec<Open>,
    /// What to do now, in any order.
    pub acts: Vec<Act>,
    /// Everything that the repository decides is in force, except for what was changed by hand and is kept.
    pub settled: bool,
}

/// Decides.
#[must_use]
pub fn reconcile(input: &Input<'_>) -> Decision {
    let before = input.applied.map(|applied| &applied.settings);
    // What was decided before and is no longer has to be taken back.
    let settings: BTreeSet<&Setting> =
        input.desired.keys().chain(before.into_iter().flat_map(|settings| settings.keys())).collect();
    let open: Vec<Open> = settings.into_iter().filter_map(|setting| look(input, setting)).collect();
    let broken = |open: &Open| matches!(open.cause, Cause::Unknown { .. } | Cause::Failing { .. });
    let health = if open.iter().any(broken) {
        Health::Degraded
    } else if open.is_empty() {
        Health::Synced
    } else {
        Health::OutOfSync
    };
    let settled = open.iter().all(|open| open.cause == Cause::Kept);
    Decision { health, acts: acts(input, &open), open, settled }
}

/// Whether a setting is as it should be, and why not.
fn look(input: &Input<'_>, setting: &Setting) -> Option<Open> {
    let wanted = input.desired.get(setting).map(String::as_str).or(nothing(setting));
    let not_seen = Seen::Unknown("it was not looked at".to_owned());
    let seen = input.live.get(setting).unwrap_or(&not_seen);
    let found = match seen {
        Seen::Value(value) => Some(value.as_str()),
        Seen::Absent | Seen::Unknown(_) => nothing(setting),
    };
    // A service that is no longer decided here keeps its version: it has to have one.
    if wanted.is_none() && matches!(setting, Setting::Version { .. }) {
        return None;
    }
    let open = |cause| {
        let (wanted, found) = (wanted.map(str::to_owned), seen.value().map(str::to_owned));
        Some(Open { setting: setting.clone(), wanted, found, cause })
    };
    if let Seen::Unknown(why) = seen {
        return open(Cause::Unknown { why: why.clone() });
    }
    if found == wanted {
        return None;
    }
    let drifted = !is_asked_for(input, setting);
    if drifted && input.drift == Drift::Keep {
        return open(Cause::Kept);
    }
    if let Some(Failure { at, times, why }) = input.failures.get(setting) {
        let again = *at + pause(*times);
        if input.now < again {
            return open(Cause::Failing { why: why.clone(), again });
        }
    }
    let raises = matches!(setting, Setting::Weight { .. }) && percent(wanted) > percent(found);
    let waits = raises && setting.service().is_some_and(|service| !input.ready.contains(service));
    open(match (waits, drifted) {
        (true, _) => Cause::Waits,
        (false, true) => Cause::Healed,
        (false, false) => Cause::Change,
    })
}

/// Whether the commits since the last one that was in force changed it. A new canary begins without requests, so its
/// weight is asked for even if it is what the one before had.
fn is_asked_for(input: &Input<'_>, setting: &Setting) -> bool {
    let Some(applied) = input.applied else { return true };
    let changed = |setting: &Setting| {
        let (before, after) = (applied.settings.get(setting), input.desired.get(setting));
        before.map(String::as_str).or(nothing(setting)) != after.map(String::as_str).or(nothing(setting))
    };
    let canary = match setting {
        Setting::Weight { service } => changed(&Setting::Canary { service: service.clone() }),
        _ => false,
    };
    canary || changed(setting)
}

/// How a setting is that nobody decides and nobody has set, if that is a value.
fn nothing(setting: &Setting) -> Option<&'static str> {
    match setting {
        Setting::Canary { .. } => Some(NONE),
        Setting::Weight { .. } => Some("0"),
        _ => None,
    }
}

/// 1 s after the first failure, then twice as long each time.
fn pause(times: u32) -> TimeDelta {
    let seconds = 1_i64.checked_shl(times.saturating_sub(1).min(62)).unwrap_or(LONGEST_PAUSE);
    TimeDelta::seconds(seconds.clamp(1, LONGEST_PAUSE))
}

fn percent(text: Option<&str>) -> u32 {
    text.and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// The acts whose turn it is.
///
/// Of what has stages, something that is open and cannot be done now holds up the later stages of its own service, and
/// nothing else.
fn acts(input: &Input<'_>, open: &[Open]) -> Vec<Act> {
    let first = |service: Option<&str>| {
        let same = open.iter().filter(|open| open.cause != Cause::Kept && open.setting.service() == service);
        same.filter_map(|open| stage(input, open)).min()
    };
    let due = |open: &&Open| matches!(open.cause, Cause::Change | Cause::Healed);
    let turn =
        |open: &&Open| stage(input, open).is_none_or(|stage| Some(stage) == first(open.setting.service()));
    open.iter().filter(due).filter(turn).map(|open| act(input, open)).collect()
}

/// What to do about it: a canary that has requests loses them before it is stopped or replaced.
fn act(input: &Input<'_>, open: &Open) -> Act {
    if let Setting::Canary { service } = &open.setting {
        let weight = Setting::Weight { service: service.clone() };
        if percent(input.live.get(&weight).and_then(Seen::value)) > 0 {
            return Act { setting: weight, to: Some("0".to_owned()) };
        }
    }
    Act { setting: open.setting.clone(), to: open.wanted.clone() }
}

/// When it is the turn of something; lower is earlier; nothing: at any time.
fn stage(input: &Input<'_>, open: &Open) -> Option<u8> {
    match &open.setting {
        Setting::Version { service } => {
            let key = Setting::Canary { service: service.clone() };
            let weight = Setting::Weight { service: service.clone() };
            let live = |setting: &Setting| input.live.get(setting).and_then(Seen::value);
            let canary = live(&key).filter(|canary| *canary != NONE);
            // The end of a release: canary and baseline have all the requests.
            let promoted = canary.is_some() && canary == open.wanted.as_deref();
            // It is taken back from there: the baseline answers while the version changes, and nobody else could.
            let ends = input.desired.get(&key).is_none_or(|wanted| wanted == NONE);
            let back = ends && canary.is_some() && percent(live(&weight)) > 0;
            Some(if promoted || back { 0 } else { 3 })
        }
        Setting::Weight { .. } => {
            Some(if percent(open.wanted.as_deref()) < percent(open.found.as_deref()) { 1 } else { 4 })
        }
        Setting::Canary { .. } => Some(2),
        _ => None,
    }
}

/// A map whose keys are no texts, as a list of pairs.
mod pairs {
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};

    use super::{Setting, Settings};

    pub(super) fn serialize<S: Serializer>(settings: &Settings, serializer: S) -> Result<S::Ok, S::Error> {
        settings.iter().collect::<Vec<_>>().serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Settings, D::Error> {
        let pairs = Vec::<(Setting, String)>::deserialize(deserializer)?;
        Ok(pairs.into_iter().collect())
    }
}
