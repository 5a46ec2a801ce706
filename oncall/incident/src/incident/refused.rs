//! Why an event cannot happen to an incident, and what could.

use chrono::{DateTime, Utc};

use crate::{Id, State};

/// Why an event is refused. The incident is unchanged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The first event of an incident is its opening.
    #[error("an incident begins with its opening")]
    NotOpened,
    /// An incident opens once.
    #[error("{id} is open already")]
    OpenedTwice {
        /// The incident.
        id: Id,
    },
    /// The life cycle has no such step.
    #[error("{id} is {from} and cannot become {to}; it can become {}", .from.choices())]
    Transition {
        /// The incident.
        id: Id,
        /// Its state.
        from: State,
        /// The wanted one.
        to: State,
    },
    /// This can only happen while somebody works on it.
    #[error("{id} is {state}: {what} only while an incident is open; {}", .state.way_on())]
    NotOpen {
        /// The incident.
        id: Id,
        /// Its state.
        state: State,
        /// What was wanted, as a phrase: `somebody can acknowledge`.
        what: &'static str,
    },
    /// A change of state before the last one.
    #[error("{id} became {state} at {last}: expected a later time, found {at}")]
    Early {
        /// The incident.
        id: Id,
        /// Its state.
        state: State,
        /// When it became so.
        last: DateTime<Utc>,
        /// The time of the event.
        at: DateTime<Utc>,
    },
    /// There is no such alert, task, hypothesis, role or service.
    #[error("{id} has no {what}")]
    Unknown {
        /// The incident.
        id: Id,
        /// What is missing: `task 4`.
        what: String,
    },
    /// It has happened already.
    #[error("{id}: {what}")]
    Twice {
        /// The incident.
        id: Id,
        /// What is so already: `task 4 is done already`.
        what: String,
    },
    /// A text that people need is missing.
    #[error("{id}: {what} is empty: expected a few words")]
    Empty {
        /// The incident.
        id: Id,
        /// Which: `the title`.
        what: &'static str,
    },
}
