//! How far an act may reach: `1 replica`, `20 sessions`, `all replicas`.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What the reach of a verb is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, strum::Display)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Unit {
    /// Processes of a service.
    Replicas,
    /// Sessions of PostgreSQL.
    Sessions,
    /// Keys of Redis.
    Keys,
    /// Messages of Kafka.
    Messages,
    /// Alerts.
    Alerts,
    /// Databases of the server.
    Databases,
}

/// How far an act may reach at most; the program that does it stops there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlastRadius {
    /// How many; none means all of them.
    pub most: Option<u32>,
    /// Of what.
    pub unit: Unit,
}

impl fmt::Display for BlastRadius {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = self.unit.to_string();
        match self.most {
            None => write!(f, "all {unit}"),
            Some(1) => write!(f, "1 {}", unit.trim_end_matches('s')),
            Some(most) => write!(f, "{most} {unit}"),
        }
    }
}
