//! What a replica says of its switches: the faults that it can have, and its protections.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// An active fault.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Share of the calls that it affects.
    pub rate: Value,
    /// Its own parameters.
    #[serde(default)]
    pub parameters: Map<String, Value>,
    /// When it ends, RFC 3339; absent if it lasts until it is deleted.
    pub expires_at: Option<String>,
    /// Seconds until then.
    pub seconds_left: Option<f64>,
    /// All other fields.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// A fault that a service can have.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FaultPoint {
    /// Its name.
    pub name: String,
    /// What it does, in one line.
    pub summary: String,
    /// Its parameters.
    #[serde(default)]
    pub parameters: Vec<Parameter>,
    /// The signals that change.
    #[serde(default)]
    pub signals: String,
    /// How it ends.
    #[serde(default)]
    pub ends: String,
    /// The active plan. Not for trainees.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active: Option<Plan>,
    /// All other fields.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// A parameter of a fault.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// What it changes.
    pub summary: String,
    /// The accepted values.
    pub expects: String,
    /// The value by default.
    pub default: Option<String>,
    /// All other fields.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// A protection of a service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Protection {
    /// Its name.
    pub name: String,
    /// Whether it is on.
    pub enabled: bool,
    /// What it does, in one line.
    pub summary: String,
    /// Seconds until it is on again, if that is known.
    pub seconds_left: Option<f64>,
    /// All other fields.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}
