//! What connections meet on their way.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::dice::Dice;

/// The state of a link, for both directions. All of it holds at the same time; the default changes nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Conditions {
    /// Whether bytes pass at all.
    pub gate: Gate,
    /// Milliseconds that bytes are on their way, in each direction.
    pub latency_ms: u64,
    /// Milliseconds that this varies, up and down, evenly. Bytes of one connection keep their order.
    pub jitter_ms: u64,
    /// Probability that bytes which pass break their connection, 0 to 1. A proxy cannot lose a packet: what an application
    /// sees of a packet that stays lost is a connection that is reset.
    pub loss: f64,
    /// Bytes per second, in each direction, shared by all connections; `None` for no limit.
    pub bandwidth: Option<u64>,
    /// Milliseconds until one side hears that the other has closed.
    pub slow_close_ms: u64,
}

/// Whether bytes pass.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Gate {
    /// They do.
    #[default]
    Open,
    /// Open and new connections are reset.
    Cut,
    /// A partition: connections stay open, no byte passes, and nobody is told. What was held back arrives afterwards.
    Hold,
    /// Open connections are served, new ones wait.
    Shut,
}

impl Conditions {
    /// Only a gate.
    #[must_use]
    pub fn gate(gate: Gate) -> Self {
        Self { gate, ..Self::default() }
    }

    /// Only latency.
    #[must_use]
    pub fn latency(by: Duration) -> Self {
        Self { latency_ms: u64::try_from(by.as_millis()).unwrap_or(u64::MAX), ..Self::default() }
    }

    /// How long the next bytes are on their way.
    pub(crate) fn delay(&self, dice: &mut Dice) -> Duration {
        let spread = (dice.roll() * 2.0 - 1.0) * self.jitter_ms as f64;
        let milliseconds = if self.jitter_ms == 0 { 0.0 } else { spread };
        Duration::from_secs_f64((self.latency_ms as f64 + milliseconds).max(0.0) / 1000.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delay_stays_within_its_jitter_and_is_never_negative() {
        let mut dice = Dice::of(7, 1);
        let near = Conditions { latency_ms: 100, jitter_ms: 20, ..Conditions::default() };
        let wide = Conditions { latency_ms: 5, jitter_ms: 50, ..Conditions::default() };
        let (mut least, mut most) = (Duration::MAX, Duration::ZERO);
        for _ in 0..1000 {
            let delay = near.delay(&mut dice);
            (least, most) = (least.min(delay), most.max(delay));
            assert!(wide.delay(&mut dice) <= Duration::from_millis(55));
        }
        assert!(least >= Duration::from_millis(80) && least < Duration::from_millis(85), "{least:?}");
        assert!(most <= Duration::from_millis(120) && most > Duration::from_millis(115), "{most:?}");
        assert_eq!(Conditions::default().delay(&mut dice), Duration::ZERO);
    }
}
