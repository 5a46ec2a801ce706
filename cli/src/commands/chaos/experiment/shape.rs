//! The shape of an experiment's file, field by field; every value knows its line.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_saphyr::Spanned;

use crate::commands::written::Text;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Document {
    pub(super) title: Text,
    pub(super) hypothesis: Text,
    pub(super) scope: Spanned<RawScope>,
    pub(super) steady_state: Spanned<Vec<Spanned<RawCheck>>>,
    pub(super) holds: Option<Text>,
    pub(super) method: Spanned<Vec<Spanned<RawStep>>>,
    #[serde(default)]
    pub(super) abort: Vec<Spanned<RawCheck>>,
    pub(super) recover_within: Option<Text>,
    /// Protections that are off in every pass.
    #[serde(default)]
    pub(super) weakened: Vec<Spanned<RawOff>>,
    pub(super) crowd: Option<Spanned<RawCrowd>>,
    pub(super) pair: Option<Spanned<RawPair>>,
    pub(super) automation: Option<Spanned<RawAutomation>>,
    pub(super) restored: Option<Spanned<RawRestored>>,
    #[serde(default)]
    pub(super) measures: Vec<Spanned<RawMeasure>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawScope {
    pub(super) services: Vec<Text>,
    pub(super) budget: Text,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawCheck {
    pub(super) name: Text,
    pub(super) query: Text,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawStep {
    pub(super) fault: Option<Spanned<RawFault>>,
    /// Other faults at the same time.
    #[serde(default)]
    pub(super) also: Vec<Spanned<RawFault>>,
    /// Whether a fault that a restart has ended is set again.
    #[serde(default)]
    pub(super) returns: bool,
    pub(super) kill: Option<Text>,
    pub(super) push: Option<Spanned<RawPush>>,
    pub(super) release: Option<Spanned<RawRelease>>,
    /// A service whose dead letters somebody puts back.
    pub(super) redrive: Option<Text>,
    pub(super) network: Option<Spanned<RawNetwork>>,
    pub(super) pressure: Option<Spanned<RawPressure>>,
    pub(super) cluster: Option<Text>,
    pub(super) lasts: Text,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawFault {
    pub(super) service: Text,
    pub(super) fault: Text,
    #[serde(default)]
    pub(super) with: BTreeMap<String, Spanned<Scalar>>,
}

/// A rule of the firewall, to every edge or to one first for some time.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPush {
    pub(super) service: Text,
    pub(super) rule: Text,
    pub(super) canary: Option<Text>,
}

/// A version that differs in variables, for a share of the requests in percent.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRelease {
    pub(super) service: Text,
    pub(super) version: Text,
    pub(super) env: BTreeMap<String, Spanned<Scalar>>,
    pub(super) weight: Spanned<u32>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawNetwork {
    pub(super) from: Text,
    pub(super) to: Text,
    pub(super) latency: Option<Text>,
    pub(super) jitter: Option<Text>,
    pub(super) loss: Option<Text>,
    pub(super) bandwidth: Option<Text>,
    pub(super) slow_close: Option<Text>,
    pub(super) gate: Option<Text>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPressure {
    pub(super) on: Text,
    pub(super) cpu: Option<Text>,
    pub(super) memory: Option<Text>,
}

/// A protection that is off.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawOff {
    pub(super) service: Text,
    pub(super) protection: Text,
}

/// More visitors than the lab's own load.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawCrowd {
    pub(super) rps: Spanned<f64>,
    pub(super) seed: u64,
    pub(super) operation: Option<Text>,
    pub(super) users: Option<Spanned<u32>>,
    pub(super) zipf: Option<Spanned<f64>>,
}

/// What is taken away in the second pass: a protection, automation, the judge of a release, or the first step of a push.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPair {
    pub(super) service: Option<Text>,
    pub(super) protection: Option<Text>,
    pub(super) without: Option<Text>,
    pub(super) canary: Option<Spanned<bool>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawAutomation {
    pub(super) runbooks: Vec<Text>,
    pub(super) least: Option<u32>,
    pub(super) most: Option<u32>,
    #[serde(default)]
    pub(super) held: bool,
    pub(super) held_by: Option<Text>,
    #[serde(default)]
    pub(super) approve: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRestored {
    pub(super) within: Text,
    pub(super) least: Option<Spanned<f64>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawMeasure {
    pub(super) name: Text,
    pub(super) query: Text,
    pub(super) least: Option<Spanned<f64>>,
}

/// A text, or a number as the text that a URL would have.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(super) enum Scalar {
    Whole(u64),
    Number(f64),
    Text(String),
}

impl std::fmt::Display for Scalar {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Whole(number) => number.fmt(f),
            Self::Number(number) => number.fmt(f),
            Self::Text(text) => text.fmt(f),
        }
    }
}
