//! What kind of work something is.

use serde::{Deserialize, Serialize};

/// What kind of work it is.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    strum::Display,
    strum::EnumString,
    strum::VariantNames,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Class {
    /// Something happened, and a person had to look.
    Reactive,
    /// A person changed something to make it well.
    Remediation,
    /// A person made the system better for good, as planned.
    #[default]
    Project,
    /// What goes with the work, such as a hand-over: neither toil nor an improvement.
    Overhead,
}

impl Class {
    /// Whether it is toil.
    #[must_use]
    pub const fn is_toil(self) -> bool {
        matches!(self, Self::Reactive | Self::Remediation)
    }
}
