//! A request to a receiver and its answer, whatever carries them.

use std::time::Duration;

use super::failure::Failure;

/// Longest wait for a connection.
pub(super) const CONNECT: Duration = Duration::from_secs(5);
/// Longest wait for a whole answer.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);
/// Largest answer that is read.
pub(super) const LARGEST: usize = 1 << 20;
/// How much of an answer an error quotes, in characters.
const QUOTE: usize = 200;

/// A request.
pub(crate) struct Request<'r> {
    /// Where to.
    pub(crate) url: &'r str,
    /// Names and values.
    pub(crate) headers: Vec<(&'static str, String)>,
    /// The body.
    pub(crate) body: String,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    /// Its status.
    pub(crate) status: u16,
    /// Its `Retry-After`.
    pub(crate) wait: Option<Duration>,
    /// Its body.
    pub(crate) body: String,
}

/// The value of `Retry-After`, if it is a number of seconds.
pub(super) fn seconds(value: &str) -> Option<Duration> {
    value.trim().parse().ok().map(Duration::from_secs)
}

/// The first characters of a text, in one line.
pub(super) fn quote(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(QUOTE).collect()
}

impl Answer {
    /// The answer if its status says that the message was taken.
    pub(crate) fn accepted(self) -> Result<Self, Failure> {
        let said = || {
            let body = quote(&self.body);
            if body.is_empty() {
                format!("answered {}", self.status)
            } else {
                format!("answered {}: {body}", self.status)
            }
        };
        match self.status {
            200..=299 => Ok(self),
            429 => Err(Failure::NotYet { why: said(), wait: self.wait }),
            408 | 500..=u16::MAX => Err(Failure::Unclear(said())),
            _ => Err(Failure::Never(said())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16) -> Answer {
        Answer { status, wait: Some(Duration::from_secs(3)), body: "no\n such  thing".to_owned() }
    }

    #[test]
    fn the_status_decides_what_follows() {
        assert!(answer(202).accepted().is_ok());
        let why = "answered 429: no such thing".to_owned();
        assert_eq!(answer(429).accepted(), Err(Failure::NotYet { why, wait: Some(Duration::from_secs(3)) }));
        assert!(matches!(answer(503).accepted(), Err(Failure::Unclear(_))));
        for status in [302, 400, 404, 410] {
            assert!(matches!(answer(status).accepted(), Err(Failure::Never(_))), "{status}");
        }
    }
}
