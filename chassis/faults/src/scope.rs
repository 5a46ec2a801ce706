//! What the current unit of work (a request, a message) is about: how fault points know whether it is in their blast radius.
//!
//! Travels as a task-local inside the process and as W3C baggage (`user.id`, `user.tier`) between processes.

use std::sync::{Arc, Mutex};

/// Facts about the current unit of work.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scope {
    /// Route template of the request (`/orders/{id}`) or topic of the message.
    pub route: String,
    /// Which user it concerns, as soon as that is known.
    pub user_id: Option<String>,
    /// That user's tier.
    pub user_tier: Option<String>,
}

tokio::task_local! {
    static CURRENT: Arc<Mutex<Scope>>;
}

impl Scope {
    /// Runs `work` with this scope as the current one.
    pub async fn enter<F: Future>(self, work: F) -> F::Output {
        CURRENT.scope(Arc::new(Mutex::new(self)), work).await
    }

    /// The scope of the running task; an empty one outside any.
    #[must_use]
    pub fn current() -> Self {
        CURRENT.try_with(|scope| scope.lock().map(|s| s.clone()).unwrap_or_default()).unwrap_or_default()
    }

    /// Fills in who the current unit of work is for, once a handler has learnt it. Without a tier the one that is known
    /// of the same user stays.
    pub fn identify(user_id: &str, user_tier: Option<&str>) {
        let _ = CURRENT.try_with(|scope| {
            if let Ok(mut scope) = scope.lock() {
                if user_tier.is_some() || scope.user_id.as_deref() != Some(user_id) {
                    scope.user_tier = user_tier.map(str::to_owned);
                }
                scope.user_id = Some(user_id.to_owned());
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn about(user_id: &str, user_tier: Option<&str>) -> Scope {
        Scope {
            route: "/orders".to_owned(),
            user_id: Some(user_id.to_owned()),
            user_tier: user_tier.map(str::to_owned),
        }
    }

    #[tokio::test]
    async fn a_scope_is_known_inside_its_work_only() {
        about("u1", None).enter(async { assert_eq!(Scope::current(), about("u1", None)) }).await;
        assert_eq!(Scope::current(), Scope::default());
        Scope::identify("u1", None);
        assert_eq!(Scope::current(), Scope::default(), "nothing to fill in outside of any");
    }

    #[tokio::test]
    async fn what_a_handler_learns_is_filled_in_and_a_known_tier_stays() {
        let scope = about("u1", Some("gold"));
        scope
            .enter(async {
                Scope::identify("u1", None);
                assert_eq!(Scope::current(), about("u1", Some("gold")));
                Scope::identify("u1", Some("free"));
                assert_eq!(Scope::current(), about("u1", Some("free")));
                Scope::identify("u2", None);
                assert_eq!(Scope::current(), about("u2", None), "the tier was another user's");
            })
            .await;
    }
}
