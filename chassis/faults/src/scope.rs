//! What the current unit of work (a request, a message) is about: used to decide whether a fault hits it.
//!
//! Travels as a task-local inside the process and as W3C baggage between processes.

use std::{cell::RefCell, collections::BTreeMap};

/// Facts about the current unit of work.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scope {
    /// Route template of the request (`/things/{id}`) or topic of the message.
    pub route: String,
    /// What it is about, as far as is known: the service's [`Attribute`](crate::Attribute)s by key.
    pub subject: BTreeMap<&'static str, String>,
}

tokio::task_local! {
    // Of one task alone, and borrowed for moments only.
    static CURRENT: RefCell<Scope>;
}

impl Scope {
    /// Runs `work` with this scope as the current one.
    pub async fn enter<F: Future>(self, work: F) -> F::Output {
        CURRENT.scope(RefCell::new(self), work).await
    }

    /// The scope of the running task; empty outside any.
    #[must_use]
    pub fn current() -> Self {
        Self::read(Self::clone)
    }

    /// What `reader` makes of the scope of the running task; of an empty one outside any.
    pub fn read<T>(reader: impl Fn(&Self) -> T) -> T {
        CURRENT.try_with(|scope| reader(&scope.borrow())).unwrap_or_else(|_| reader(&Self::default()))
    }

    /// Fills in the subject of the current unit of work once a handler has learnt whose it is, and their attributes.
    /// Attributes already known for the same subject stay unless they are given again.
    pub fn identify<'a>(
        identity: (&'static str, &str),
        facts: impl IntoIterator<Item = (&'static str, &'a str)>,
    ) {
        let _ = CURRENT.try_with(|scope| {
            let mut scope = scope.borrow_mut();
            let (key, value) = identity;
            if scope.subject.get(key).map(String::as_str) != Some(value) {
                scope.subject.clear();
                scope.subject.insert(key, value.to_owned());
            }
            scope.subject.extend(facts.into_iter().map(|(key, value)| (key, value.to_owned())));
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn about(id: &str, tier: Option<&str>) -> Scope {
        let tier = tier.map(|tier| ("tier", tier.to_owned()));
        Scope {
            route: "/things".to_owned(),
            subject: [("id", id.to_owned())].into_iter().chain(tier).collect(),
        }
    }

    #[tokio::test]
    async fn a_scope_is_known_inside_its_work_only() {
        about("u1", None).enter(async { assert_eq!(Scope::current(), about("u1", None)) }).await;
        assert_eq!(Scope::current(), Scope::default());
        Scope::identify(("id", "u1"), None);
        assert_eq!(Scope::current(), Scope::default(), "nothing to fill in outside of any");
    }

    #[tokio::test]
    async fn what_a_handler_learns_is_filled_in_and_a_known_tier_stays() {
        let scope = about("u1", Some("gold"));
        scope
            .enter(async {
                Scope::identify(("id", "u1"), None);
                assert_eq!(Scope::current(), about("u1", Some("gold")));
                Scope::identify(("id", "u1"), [("tier", "free")]);
                assert_eq!(Scope::current(), about("u1", Some("free")));
                Scope::identify(("id", "u2"), None);
                assert_eq!(Scope::current(), about("u2", None), "the tier belonged to another user");
            })
            .await;
    }
}
