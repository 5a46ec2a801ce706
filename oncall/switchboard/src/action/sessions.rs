//! Sessions of PostgreSQL, chosen by what they do and for how long. The oldest go first; our own never does.

use std::{collections::BTreeMap, fmt, time::Duration};

use serde::{Deserialize, Serialize};
use sqlx::PgConnection;

use super::{Outcome, time};
use crate::{
    Result, Tools,
    tools::{answer, close},
};

/// What a session does.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, strum::EnumCount, strum::VariantArray,
)]
#[serde(rename_all = "kebab-case")]
pub enum SessionState {
    /// It waits for a statement, outside a transaction.
    Idle,
    /// It holds a transaction and waits for a statement.
    IdleInTransaction,
    /// It executes a statement.
    Active,
}

impl SessionState {
    /// All of them.
    pub const ALL: [Self; <Self as strum::EnumCount>::COUNT] =
        *<Self as strum::VariantArray>::VARIANTS.first_chunk().expect("all of them");

    /// As it is serialized.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::IdleInTransaction => "idle-in-transaction",
            Self::Active => "active",
        }
    }
}

/// As PostgreSQL and people write it.
impl fmt::Display for SessionState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Idle => "idle",
            Self::IdleInTransaction => "idle in transaction",
            Self::Active => "active",
        })
    }
}

/// Which sessions.
pub(super) struct Wanted<'w> {
    pub(super) state: SessionState,
    pub(super) older_than: Duration,
    pub(super) application: Option<&'w str>,
    pub(super) most: Option<u32>,
}

/// The chosen sessions: `$1` state, `$2` seconds in it, `$3` name of the client, `$4` how many. Only a
/// superuser may end the session of one, and one refusal would be the end of the statement.
macro_rules! chosen {
    () => {
        "SELECT session.pid, coalesce(session.application_name, '') AS application, \
         extract(epoch FROM now() - session.state_change)::float8 AS seconds \
         FROM pg_stat_activity AS session JOIN pg_roles AS owner ON owner.oid = session.usesysid \
         WHERE session.datname = current_database() AND session.backend_type = 'client backend' \
         AND session.pid <> pg_backend_pid() \
         AND (session.state = $1 OR session.state = $1 || ' (aborted)') \
         AND session.state_change <= now() - make_interval(secs => $2) \
         AND ($3::text IS NULL OR session.application_name = $3::text) \
         AND (NOT owner.rolsuper OR (SELECT me.rolsuper FROM pg_roles AS me \
         WHERE me.rolname = current_user)) \
         ORDER BY session.state_change, session.pid LIMIT $4"
    };
}

const CHOSEN: &str = chosen!();
/// First all are chosen, then they end: what is chosen does not depend on what has ended already.
const ENDED: &str = concat!(
    "WITH chosen AS MATERIALIZED (",
    chosen!(),
    ") SELECT pid, application, seconds FROM chosen WHERE pg_terminate_backend(pid)"
);

/// How many of them there still are.
const LEFT: &str = "SELECT count(*) FROM pg_stat_activity WHERE pid = ANY($1)";
/// How often it is asked whether they have gone, and the pause in between.
const LOOKS: (u32, Duration) = (20, Duration::from_millis(50));

/// Pid, name of the client, seconds in its state.
type Session = (i32, String, f64);

pub(super) async fn act(
    tools: &Tools,
    database: &str,
    wanted: &Wanted<'_>,
    dry: bool,
) -> Result<Vec<Outcome>> {
    let mut connection = tools.connect(database).await?;
    let query = sqlx::query_as::<sqlx::Postgres, Session>(if dry { CHOSEN } else { ENDED })
        .bind(wanted.state.to_string())
        .bind(wanted.older_than.as_secs_f64())
        .bind(wanted.application)
        .bind(wanted.most.map(i64::from));
    let sessions = answer(database, query.fetch_all(&mut connection)).await?;
    let mut text = words(database, wanted, &sessions, dry);
    if !dry {
        let pids: Vec<i32> = sessions.iter().map(|(pid, ..)| *pid).collect();
        let left = answer(database, left(&mut connection, &pids)).await?;
        if left > 0 {
            text.push_str(&format!("; {left} have been told and are still there"));
        }
    }
    close(connection).await;
    Ok(vec![Outcome::good("postgres", text)])
}

/// How many of them are still there after a moment: a session ends at its next safe point.
async fn left(connection: &mut PgConnection, pids: &[i32]) -> sqlx::Result<i64> {
    let (looks, pause) = LOOKS;
    let mut left = 0;
    for _ in 0..looks {
        left = sqlx::query_scalar(LEFT).bind(pids).fetch_one(&mut *connection).await?;
        if left == 0 {
            break;
        }
        tokio::time::sleep(pause).await;
    }
    Ok(left)
}

fn words(database: &str, wanted: &Wanted<'_>, sessions: &[Session], dry: bool) -> String {
    if sessions.is_empty() {
        let of = wanted.application.map_or_else(String::new, |name| format!(" from {name}"));
        let (state, time) = (wanted.state, time::words(wanted.older_than));
        return format!("no session of {database}{of} has been {state} for more than {time}: nothing to end");
    }
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (_, application, _) in sessions {
        *counts.entry(if application.is_empty() { "without a name" } else { application }).or_default() += 1;
    }
    let counts: Vec<String> = counts.iter().map(|(name, count)| format!("{name} {count}")).collect();
    let oldest = sessions.iter().map(|(_, _, seconds)| *seconds).fold(0.0, f64::max);
    let pids: Vec<String> = sessions.iter().take(10).map(|(pid, ..)| pid.to_string()).collect();
    let more = if sessions.len() > pids.len() { ", …" } else { "" };
    let verb = if dry { "would end" } else { "ended" };
    let noun = if sessions.len() == 1 { "session" } else { "sessions" };
    format!(
        "{verb} {} {noun} of {database} ({}), the oldest {} for {oldest:.0} s; pids {}{more}",
        sessions.len(),
        counts.join(", "),
        wanted.state,
        pids.join(", "),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDLE: Wanted<'_> = Wanted {
        state: SessionState::IdleInTransaction,
        older_than: Duration::from_secs(10),
        application: None,
        most: None,
    };

    #[test]
    fn a_state_is_read_as_it_is_written() {
        for state in SessionState::ALL {
            assert_eq!(serde_json::to_value(state).unwrap(), state.name());
            assert_eq!(state.name().replace('-', " "), state.to_string());
        }
    }

    #[test]
    fn the_sentence_counts_the_sessions_of_each_client() {
        let sessions = [(7, "psql".to_owned(), 31.6), (9, String::new(), 12.0), (8, "psql".to_owned(), 11.0)];
        assert_eq!(
            words("orders", &IDLE, &sessions, true),
            "would end 3 sessions of orders (psql 2, without a name 1), the oldest idle in transaction for \
             32 s; pids 7, 9, 8"
        );
        let one = words("orders", &IDLE, &sessions[..1], false);
        assert!(one.starts_with("ended 1 session of orders (psql 1)"), "{one}");
        assert_eq!(
            words("orders", &IDLE, &[], true),
            "no session of orders has been idle in transaction for more than 10s: nothing to end"
        );
    }
}
