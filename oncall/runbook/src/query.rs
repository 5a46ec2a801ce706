//! The SQL that a runbook may ask: by name, read-only, the same text for everybody. Values are bound and never part of
//! the text. Run it in a read-only transaction with a time limit.

use std::time::Duration;

use serde::Serialize;

use crate::parameter::{Kind, duration};

/// What a value of a query is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    /// A time such as `10s`; bound as its seconds.
    Time,
    /// A word.
    Word,
}

/// A named query.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Query {
    /// Its name.
    pub name: &'static str,
    /// What it tells.
    pub what: &'static str,
    /// PostgreSQL, with `$1` and so on; each value is bound as text.
    pub text: &'static str,
    /// Names and types of its values, in the order of their numbers.
    pub values: &'static [(&'static str, Value)],
}

/// All of them.
pub const QUERIES: &[Query] = &[
    Query {
        name: "blocked-sessions",
        what: "who waits for a lock, and for whom",
        text: "select pid, application_name, pg_blocking_pids(pid)::text as waits_for, left(query, 60) as query \
               from pg_stat_activity where datname = current_database() and cardinality(pg_blocking_pids(pid)) > 0 \
               order by query_start limit 20",
        values: &[],
    },
    Query {
        name: "idle-in-transaction",
        what: "transactions that have been open for some time and do nothing",
        text: "select pid, application_name, extract(epoch from now() - xact_start)::bigint as seconds, \
               left(query, 60) as query from pg_stat_activity \
               where datname = current_database() and state like 'idle in transaction%' \
               and xact_start < now() - make_interval(secs => ($1::text)::float8) order by xact_start limit 20",
        values: &[("older_than", Value::Time)],
    },
    Query {
        name: "old-transactions",
        what: "which transactions keep removed rows from being cleaned up, the oldest first",
        text: "select pid, application_name, state, extract(epoch from now() - xact_start)::bigint as seconds, \
               greatest(age(backend_xmin), age(backend_xid)) as transactions, left(query, 60) as query \
               from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() \
               and backend_type = 'client backend' and (backend_xmin is not null or backend_xid is not null) \
               and xact_start < now() - make_interval(secs => ($1::text)::float8) order by xact_start limit 20",
        values: &[("older_than", Value::Time)],
    },
    Query {
        name: "sessions-by-application",
        what: "whose sessions there are, in which state",
        text: "select application_name, state, count(*) as sessions from pg_stat_activity \
               where datname = current_database() group by 1, 2 order by 3 desc limit 20",
        values: &[],
    },
    Query {
        name: "sessions-of",
        what: "the sessions of one application that are older than some time",
        text: "select pid, state, extract(epoch from now() - backend_start)::bigint as seconds, \
               left(query, 60) as query from pg_stat_activity \
               where datname = current_database() and application_name = $1::text \
               and backend_start < now() - make_interval(secs => ($2::text)::float8) order by backend_start limit 20",
        values: &[("application", Value::Word), ("older_than", Value::Time)],
    },
    Query {
        name: "tables-without-autovacuum",
        what: "which tables are never cleaned up by themselves, because their settings say so",
        text: "select current_database() as database, relname, array_to_string(reloptions, ' ') as options from pg_class \
               where array_to_string(reloptions, ' ') ~* 'autovacuum_enabled=(off|false|no|0)' order by relname limit 20",
        values: &[],
    },
];

/// The query of this name.
///
/// # Errors
/// The names that there are.
pub fn named(name: &str) -> Result<&'static Query, String> {
    QUERIES.iter().find(|query| query.name == name).ok_or_else(|| {
        let names: Vec<&str> = QUERIES.iter().map(|query| query.name).collect();
        format!("`{name}` is not a query: expected one of {}", names.join(", "))
    })
}

impl Value {
    /// What a text has to be.
    #[must_use]
    pub fn kind(self) -> Kind {
        match self {
            Self::Time => Kind::Duration { least: Duration::ZERO, most: Duration::from_secs(7 * 86_400) },
            Self::Word => Kind::Word,
        }
    }

    /// The text to bind.
    #[must_use]
    pub fn bound(self, text: &str) -> String {
        match self {
            Self::Time => duration(text).unwrap_or_default().as_secs().to_string(),
            Self::Word => text.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_query_reads_only_and_binds_all_of_its_values() {
        for query in QUERIES {
            let text = query.text;
            assert!(text.starts_with("select ") && !text.contains(';'), "{text}");
            for word in
                ["terminate", "cancel", "pg_sleep", "set_config", "nextval", "advisory", " into ", "lo_"]
            {
                assert!(!text.contains(word), "{}: {word}", query.name);
            }
            for number in 1..=query.values.len() {
                assert!(text.contains(&format!("${number}::text")), "{}: ${number}", query.name);
            }
            assert!(!text.contains(&format!("${}", query.values.len() + 1)), "{}", query.name);
            assert!(text.contains("limit ") && text.contains("current_database()"), "{}", query.name);
        }
        assert!(named("drop-everything").unwrap_err().contains("expected one of blocked-sessions, "));
        assert_eq!(Value::Time.bound("2m"), "120");
    }
}
