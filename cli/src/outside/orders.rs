//! What is ordered from the part `chaos`: which orders are in force, and which of them meet.

use std::fmt;

use anyhow::{Result, bail};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use supervisor::process::ProcId;
use wire::Conditions;

/// All that is in force.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Orders {
    /// Grows with each change.
    pub(crate) revision: u64,
    /// In the order in which they were given.
    pub(crate) list: Vec<Order>,
}

/// One order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Order {
    /// When it ends by itself.
    pub(crate) until: DateTime<Utc>,
    /// What it is.
    pub(crate) what: What,
}

/// What is done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum What {
    /// To the way from one service to another.
    Link { from: String, to: String, conditions: Conditions },
    /// To a process: cores of CPU, bytes of memory.
    Squeeze { part: String, process: ProcId, cpu: Option<f64>, memory: Option<u64> },
}

/// What the part has carried out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Done {
    /// Of the orders.
    pub(crate) revision: u64,
    /// What it could not do, as sentences.
    pub(crate) refused: Vec<String>,
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Link { from, to, .. } => write!(f, "the way from {from} to {to}"),
            Self::Squeeze { part, .. } => f.write_str(part),
        }
    }
}

impl What {
    /// Whether both act on the same thing.
    fn meets(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Link { from, to, .. }, Self::Link { from: a, to: b, .. }) => from == a && to == b,
            (Self::Squeeze { part, .. }, Self::Squeeze { part: other, .. }) => part == other,
            _ => false,
        }
    }
}

impl Orders {
    /// Those that have not ended.
    pub(crate) fn live(&self, now: DateTime<Utc>) -> impl Iterator<Item = &Order> {
        self.list.iter().filter(move |order| order.until > now)
    }

    /// With one more, and without those that have ended.
    ///
    /// # Errors
    /// When another one acts on the same thing.
    pub(super) fn with(&self, order: Order, now: DateTime<Utc>) -> Result<Self> {
        if let Some(other) = self.live(now).find(|other| other.what.meets(&order.what)) {
            let left = (other.until - now).num_seconds().max(0) + 1;
            bail!(
                "another experiment acts on {} for at most {left} s more: wait, or `lab chaos stop`",
                order.what
            );
        }
        let list = self.live(now).cloned().chain([order]).collect();
        Ok(Self { revision: self.revision + 1, list })
    }

    /// Without what acts on the same thing; without anything if nothing is named.
    pub(super) fn without(&self, what: Option<&What>, now: DateTime<Utc>) -> Self {
        let stays = |order: &&Order| what.is_some_and(|what| !order.what.meets(what));
        Self { revision: self.revision + 1, list: self.live(now).filter(stays).cloned().collect() }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use chrono::TimeDelta;

    use super::*;

    pub(crate) fn order(to: &str, until: DateTime<Utc>) -> Order {
        let conditions = Conditions { latency_ms: 200, ..Conditions::default() };
        let what = What::Link { from: "order-api".to_owned(), to: to.to_owned(), conditions };
        Order { until, what }
    }

    #[test]
    fn one_way_has_one_order_at_a_time_and_what_has_ended_is_forgotten() {
        let now = Utc::now();
        let soon = now + TimeDelta::seconds(10);
        let orders = Orders::default().with(order("postgres", soon), now).unwrap();
        let refused = orders.with(order("postgres", soon), now).unwrap_err().to_string();
        assert!(refused.contains("the way from order-api to postgres for at most 11 s more"), "{refused}");
        let both = orders.with(order("user-service", soon + TimeDelta::seconds(5)), now).unwrap();
        assert_eq!((both.revision, both.list.len()), (2, 2));
        let later = soon + TimeDelta::seconds(1);
        assert_eq!(both.live(later).count(), 1);
        assert_eq!(both.with(order("postgres", later + TimeDelta::seconds(1)), later).unwrap().list.len(), 2);
        let what = order("postgres", soon).what;
        assert_eq!(both.without(Some(&what), now).list.len(), 1);
        assert_eq!(both.without(None, now).list, []);
    }

    #[test]
    fn orders_are_read_as_they_are_written() {
        let process = ProcId { pid: 17, started: 4 };
        let squeeze = What::Squeeze { part: "order-api".to_owned(), process, cpu: Some(0.1), memory: None };
        let until = DateTime::from_timestamp(1_900_000_000, 0).unwrap();
        let list = vec![order("postgres", until), Order { until, what: squeeze }];
        let orders = Orders { revision: 3, list };
        let text = serde_json::to_string(&orders).unwrap();
        assert_eq!(serde_json::from_str::<Orders>(&text).unwrap(), orders, "{text}");
    }
}
