//! Requests of an access log, counted by one of their fields.

use std::{collections::BTreeMap, str::FromStr};

use super::access::Access;

/// What requests are counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// Template of the route.
    Route,
    /// Status of the answer.
    Status,
    /// Address of the client.
    Peer,
    /// The service that answered.
    Service,
    /// What the client calls itself.
    Agent,
}

/// The names of the keys.
const KEYS: [(&str, Key); 5] = [
    ("route", Key::Route),
    ("status", Key::Status),
    ("peer", Key::Peer),
    ("service", Key::Service),
    ("agent", Key::Agent),
];

impl FromStr for Key {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = KEYS.iter().find(|(name, _)| *name == text).map(|(_, key)| *key);
        found.ok_or_else(|| format!("expected one of: {}", KEYS.map(|(name, _)| name).join(", ")))
    }
}

impl Key {
    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        KEYS.iter().find(|(_, key)| *key == self).map_or("?", |(name, _)| name)
    }

    fn of(self, access: &Access<'_>) -> String {
        match self {
            Self::Route => access.route.to_owned(),
            Self::Status => access.status.to_string(),
            Self::Peer => access.peer.to_owned(),
            Self::Service => access.service.to_owned(),
            Self::Agent => access.agent.to_owned(),
        }
    }
}

/// Requests, counted by a key.
#[derive(Debug, Clone)]
pub struct Tally {
    key: Key,
    counts: BTreeMap<String, u64>,
    /// All of them.
    pub total: u64,
    /// Those without a line of their own, which another line represents.
    pub without_line: u64,
}

impl Tally {
    /// None so far.
    #[must_use]
    pub fn new(key: Key) -> Self {
        Self { key, counts: BTreeMap::new(), total: 0, without_line: 0 }
    }

    /// Counts the requests that a line represents.
    pub fn add(&mut self, access: &Access<'_>) {
        *self.counts.entry(self.key.of(access)).or_default() += access.requests;
        self.total += access.requests;
        self.without_line += access.requests.saturating_sub(1);
    }

    /// The values with their counts, the most frequent first, and among equals by name.
    #[must_use]
    pub fn top(&self) -> Vec<(&str, u64)> {
        let mut rows: Vec<_> = self.counts.iter().map(|(value, count)| (value.as_str(), *count)).collect();
        rows.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        rows
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::access::{Filter, Status},
        *,
    };

    #[test]
    fn a_key_has_a_name_and_another_word_is_answered_with_the_names() {
        let error = "ip".parse::<Key>().unwrap_err();
        assert_eq!(error, "expected one of: route, status, peer, service, agent");
        for (name, key) in KEYS {
            assert_eq!((name.parse::<Key>(), key.name()), (Ok(key), name));
        }
    }

    #[test]
    fn a_tally_counts_what_lines_represent_most_frequent_first() {
        let filter = Filter { status: Some(Status::Class(4)), route: None };
        let mut tally = Tally::new(Key::Peer);
        let request = |status, peer, requests| Access {
            service: "order-api",
            route: "unmatched",
            status,
            peer,
            agent: "?",
            requests,
        };
        for access in [
            request(404, "10.0.0.2", 1),
            request(404, "10.0.0.1", 1),
            request(429, "10.0.0.1", 1),
            request(200, "10.0.0.3", 40),
            request(422, "10.0.0.0", 1),
        ] {
            if filter.matches(&access) {
                tally.add(&access);
            }
        }
        assert_eq!(tally.top(), [("10.0.0.1", 2), ("10.0.0.0", 1), ("10.0.0.2", 1)]);
        assert_eq!((tally.total, tally.without_line), (4, 0));
        tally.add(&request(200, "10.0.0.3", 40));
        assert_eq!((tally.top()[0], tally.total, tally.without_line), (("10.0.0.3", 40), 44, 39));
    }
}
