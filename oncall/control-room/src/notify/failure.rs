//! Why a message was not delivered, and what follows: another attempt, or an end.

use std::time::Duration;

use super::channel::Channel;
use crate::error::Error;

/// How many attempts a message gets.
pub(crate) const ATTEMPTS: i64 = 5;
/// Seconds between attempts, on the production clock: 15 minutes in all.
const WAITS: [u64; 4] = [30, 90, 240, 540];
/// Longest wait that a receiver can ask for.
const LONGEST_WAIT: Duration = Duration::from_secs(15 * 60);

/// Why not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    /// Certainly not delivered; later it may work.
    NotYet {
        /// Why.
        why: String,
        /// How long the receiver asks to wait.
        wait: Option<Duration>,
    },
    /// It may have been delivered.
    Unclear(String),
    /// It can never be delivered like this.
    Never(String),
}

/// How a delivery ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub(crate) enum Outcome {
    /// The receiver has it.
    Sent,
    /// It will not arrive.
    Failed,
    /// It may have arrived, and is not sent again.
    Unknown,
}

/// What follows from a failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Next {
    /// Another attempt after this time.
    Again(Duration),
    /// No more attempts.
    End(Outcome),
}

impl From<Error> for Failure {
    /// The control room's own file does not answer: nothing was sent.
    fn from(error: Error) -> Self {
        Self::not_yet(error.to_string())
    }
}

impl Failure {
    /// A failure after which nothing was delivered.
    pub(crate) fn not_yet(why: impl Into<String>) -> Self {
        Self::NotYet { why: why.into(), wait: None }
    }

    /// The reason.
    pub(crate) fn why(&self) -> &str {
        match self {
            Self::NotYet { why, .. } | Self::Unclear(why) | Self::Never(why) => why,
        }
    }

    /// The same for a call that may be repeated without harm.
    pub(crate) fn harmless(self) -> Self {
        match self {
            Self::Unclear(why) => Self::not_yet(why),
            other => other,
        }
    }

    /// What to do after the attempt with this number, counted from 1. `speed` is the lab clock's divisor.
    pub(crate) fn next(&self, channel: Channel, attempt: i64, speed: u32) -> Next {
        let wait = match self {
            Self::Never(_) => return Next::End(Outcome::Failed),
            Self::Unclear(_) if !channel.is_system() => return Next::End(Outcome::Unknown),
            Self::Unclear(_) => None,
            Self::NotYet { wait, .. } => *wait,
        };
        let index = usize::try_from(attempt - 1).unwrap_or_default();
        match WAITS.get(index) {
            Some(seconds) if attempt < ATTEMPTS => {
                let own = Duration::from_secs(*seconds) / speed.max(1);
                Next::Again(wait.map_or(own, |wait| wait.max(own)).min(LONGEST_WAIT))
            }
            _ => Next::End(Outcome::Failed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits(failure: &Failure, channel: Channel, speed: u32) -> Vec<Next> {
        (1..=ATTEMPTS).map(|attempt| failure.next(channel, attempt, speed)).collect()
    }

    #[test]
    fn a_system_is_tried_five_times_within_15_minutes_of_the_production_clock() {
        for (speed, total) in [(1, 900.0), (60, 15.0)] {
            let nexts = waits(&Failure::Unclear("503".to_owned()), Channel::Webhook, speed);
            let waited: Duration = nexts
                .iter()
                .filter_map(|next| if let Next::Again(wait) = next { Some(*wait) } else { None })
                .sum();
            assert!((waited.as_secs_f64() - total).abs() < 1e-9, "{waited:?}");
            assert_eq!(nexts.last(), Some(&Next::End(Outcome::Failed)));
        }
    }

    #[test]
    fn what_may_have_reached_a_person_is_not_sent_again() {
        for channel in [Channel::Slack, Channel::Desktop, Channel::Bell, Channel::Room] {
            let unclear = Failure::Unclear("no answer".to_owned());
            assert_eq!(unclear.next(channel, 1, 1), Next::End(Outcome::Unknown), "{channel}");
            assert!(matches!(Failure::not_yet("refused").next(channel, 1, 1), Next::Again(_)), "{channel}");
        }
    }

    #[test]
    fn a_receiver_may_ask_for_a_longer_wait_up_to_a_limit() {
        let asks = |seconds| Failure::NotYet { why: String::new(), wait: Some(Duration::from_secs(seconds)) };
        assert_eq!(asks(7).next(Channel::Slack, 1, 60), Next::Again(Duration::from_secs(7)));
        assert_eq!(asks(0).next(Channel::Slack, 1, 60), Next::Again(Duration::from_millis(500)));
        assert_eq!(asks(86_400).next(Channel::Slack, 1, 60), Next::Again(LONGEST_WAIT));
    }

    #[test]
    fn a_refusal_is_final() {
        let never = Failure::Never("invalid_auth".to_owned());
        assert_eq!(never.next(Channel::Pagerduty, 1, 60), Next::End(Outcome::Failed));
    }
}
