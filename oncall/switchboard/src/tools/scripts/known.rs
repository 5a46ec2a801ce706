//! The scripts, as data.

use std::path::{Path, PathBuf};

/// One script.
#[derive(Debug, PartialEq, Eq)]
pub struct Script {
    /// Its name.
    pub name: &'static str,
    /// What it does.
    pub deed: Deed,
}

/// What a script does, and what undoes it. Each can be repeated: a run that was interrupted begins again.
#[derive(Debug, PartialEq, Eq)]
pub enum Deed {
    /// Statements in PostgreSQL.
    Sql {
        /// The database.
        database: &'static str,
        /// Whether they are run in the replica. What they do there ends with the server's process.
        on_replica: bool,
        /// What does it.
        run: &'static [&'static str],
        /// What undoes it.
        undo: &'static [&'static str],
    },
    /// Commands of `lab`. What they do ends when the lab starts again.
    Lab {
        /// The arguments of what does it.
        run: &'static [&'static str],
        /// The arguments of what undoes it.
        undo: &'static [&'static str],
    },
    /// A file of the lab's folder has another name.
    Move {
        /// Its own name.
        file: &'static str,
        /// The other one.
        aside: &'static str,
    },
}

/// All of them.
pub static SCRIPTS: [Script; 9] = [
    Script {
        name: "backup-bucket",
        deed: Deed::Lab {
            run: &["break", "lab-objects", "object-full", "ttl=1h"],
            undo: &["fix", "lab-objects", "object-full"],
        },
    },
    Script {
        name: "backup-key",
        deed: Deed::Move { file: "secrets/backup-key", aside: "secrets/backup-key.aside" },
    },
    Script {
        name: "backup-login",
        deed: Deed::Sql {
            database: "postgres",
            on_replica: false,
            run: &[
                "SELECT public.lease('backup', now() - interval '1 minute')",
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'backup'",
            ],
            undo: &["SELECT public.lease('backup', 'infinity')"],
        },
    },
    Script { name: "data-folder", deed: Deed::Lab { run: &["backup", "lose"], undo: &["backup", "find"] } },
    Script {
        name: "fulfillment-password",
        deed: Deed::Lab {
            run: &["rotate", "fulfillment", "--end-sessions"],
            undo: &["rotate", "fulfillment", "--settle"],
        },
    },
    Script {
        name: "half-failover",
        deed: Deed::Lab { run: &["failover", "part-way"], undo: &["failover", "settle"] },
    },
    Script {
        name: "orders-login",
        deed: Deed::Sql {
            database: "postgres",
            on_replica: false,
            run: &[
                "SELECT public.lease('orders', now() - interval '1 minute')",
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'orders'",
                // A login of a moment ago may be in no list yet.
                "SELECT pg_sleep(0.3)",
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'orders'",
            ],
            undo: &["SELECT public.lease('orders', 'infinity')"],
        },
    },
    Script {
        name: "replica-replay",
        deed: Deed::Sql {
            database: "postgres",
            on_replica: true,
            run: &["SELECT pg_wal_replay_pause()"],
            // Not if it was promoted meanwhile: then there is nothing to resume.
            undo: &["SELECT pg_wal_replay_resume() WHERE pg_is_in_recovery()"],
        },
    },
    Script {
        name: "users-table",
        deed: Deed::Sql {
            database: "users",
            on_replica: false,
            run: &[
                "SET ROLE users",
                "CREATE SCHEMA IF NOT EXISTS unused",
                "ALTER TABLE IF EXISTS public.users SET SCHEMA unused",
            ],
            undo: &[
                "SET ROLE users",
                "ALTER TABLE IF EXISTS unused.users SET SCHEMA public",
                "DROP SCHEMA IF EXISTS unused",
            ],
        },
    },
];

impl Script {
    /// The one with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        SCRIPTS.iter().find(|script| script.name == name)
    }

    /// Those that were begun in the lab with this folder and not undone.
    #[must_use]
    pub fn noted(lab: &Path) -> Vec<&'static Self> {
        SCRIPTS.iter().filter(|script| script.note(lab).exists()).collect()
    }

    /// The folder that says so.
    #[must_use]
    pub fn note(&self, lab: &Path) -> PathBuf {
        lab.join("scripts").join(self.name)
    }
}

/// Statements, one in each line, as single-user mode takes them.
#[must_use]
pub fn in_lines(statements: &[&str]) -> String {
    statements.iter().map(|statement| format!("{statement};\n")).collect()
}
