//! The life cycle of an incident: `triage -> active -> mitigated -> resolved -> closed`, or `dismissed`.
//!
//! An incident may resolve from any open state, because alerts may clear before anybody has done anything; the time of
//! mitigation is then the time of the resolution. A resolved one may become active again. A closed or dismissed one
//! stays so: what happens next is a new incident that names it.

use serde::{Deserialize, Serialize};

/// Where an incident is.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    strum::Display,
    strum::EnumString,
    strum::IntoStaticStr,
    strum::EnumCount,
    strum::VariantArray,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum State {
    /// Nobody has said yet that it is real.
    Triage,
    /// Somebody works on it.
    Active,
    /// Users are no longer affected; the cause may still be there.
    Mitigated,
    /// It is over.
    Resolved,
    /// It is over and written down; what was sealed is open.
    Closed,
    /// It was none.
    Dismissed,
}

impl State {
    /// All, in the order of a life.
    pub const ALL: [Self; <Self as strum::EnumCount>::COUNT] =
        *<Self as strum::VariantArray>::VARIANTS.first_chunk().expect("all of them");

    /// What it may become.
    #[must_use]
    pub const fn may_become(self) -> &'static [Self] {
        match self {
            Self::Triage => &[Self::Active, Self::Resolved, Self::Dismissed],
            Self::Active => &[Self::Mitigated, Self::Resolved, Self::Dismissed],
            Self::Mitigated => &[Self::Active, Self::Resolved],
            Self::Resolved => &[Self::Active, Self::Closed],
            Self::Closed | Self::Dismissed => &[],
        }
    }

    /// Whether somebody still has to do something about it.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Triage | Self::Active | Self::Mitigated)
    }

    /// Whether it can never change again.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Closed | Self::Dismissed)
    }

    /// What to do with an incident that is not open any more, for people.
    #[must_use]
    pub const fn way_on(self) -> &'static str {
        if self.is_final() { "open a new one that names it" } else { "make it active again first" }
    }

    /// What it may become, for people: `active, resolved or dismissed`.
    #[must_use]
    pub fn choices(self) -> String {
        let names: Vec<&str> = self.may_become().iter().map(|state| (*state).into()).collect();
        match names.as_slice() {
            [] => "nothing: open a new incident that names it".to_owned(),
            [one] => (*one).to_owned(),
            [first @ .., last] => format!("{} or {last}", first.join(", ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_says_what_it_may_become() {
        assert_eq!(State::Triage.choices(), "active, resolved or dismissed");
        assert_eq!(State::Resolved.choices(), "active or closed");
        assert_eq!(State::Closed.choices(), "nothing: open a new incident that names it");
    }

    #[test]
    fn final_states_are_final_and_every_state_can_be_reached() {
        for state in State::ALL {
            assert_eq!(state.is_final(), state.may_become().is_empty(), "{state}");
            let reached = State::ALL.iter().any(|from| from.may_become().contains(&state));
            assert!(reached || state == State::Triage, "{state}");
        }
    }
}
