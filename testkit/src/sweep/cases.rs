//! What each fault may leave visible while it is on: only what its real cause would leave, and why.

use std::time::Duration;

/// One fault, as the sweep switches it on.
pub(super) struct Case {
    pub(super) fault: &'static str,
    /// Parameters strong enough to show within milliseconds, and mild enough for the rest of the machine.
    pub(super) plan: &'static str,
    /// How long it is on while the sweep looks.
    pub(super) on: Duration,
    /// Parts of what is seen only while it is on, each as the real cause would leave it.
    pub(super) leaves: &'static [&'static str],
}

const fn case(fault: &'static str, plan: &'static str, millis: u64, leaves: &'static [&'static str]) -> Case {
    Case { fault, plan, on: Duration::from_millis(millis), leaves }
}

/// A statement that was cancelled is logged with its text.
const CANCELLED: &str = "canceling statement due to";

const CASES: &[Case] = &[
    case("risky", "", 300, &[]),
    case("http-error", "", 300, &[]),
    case("http-latency", "delay=30ms", 300, &[]),
    case("http-hang", "", 300, &[]),
    case("http-abort", "", 300, &[]),
    case("upstream-error", "", 300, &[]),
    case("upstream-latency", "delay=30ms", 300, &[]),
    case("upstream-unreachable", "", 300, &[]),
    case("db-latency", "delay=20ms", 300, &[]),
    // Someone ends sessions from psql.
    case(
        "db-error",
        "",
        700,
        &[
            "session psql ",
            "statement psql SELECT pg_terminate_backend(pid, N) FROM pg_stat_activity WHERE pid = N",
            "FATAL: terminating connection due to administrator command",
        ],
    ),
    // Code that forgot to return its connection.
    case("db-pool-exhaustion", "", 700, &[]),
    // Someone works on the table in psql.
    case(
        "db-lock",
        "hold=100ms",
        700,
        &["session psql ", "statement psql BEGIN", "statement psql LOCK TABLE", CANCELLED],
    ),
    // Someone put a report into the path of requests.
    case("db-slow-query", "rows=20000", 500, &["WITH RECURSIVE minutes", CANCELLED]),
    // Two transactions that lock the same rows in a different order.
    case(
        "db-deadlock",
        "",
        1_600,
        &[
            "ORDER BY id DESC LIMIT N FOR UPDATE SKIP LOCKED",
            "WHERE id = $N FOR UPDATE",
            "deadlock",
            "Process N waits for",
            "See server log for query details",
            CANCELLED,
        ],
    ),
    case("cache-down", "", 300, &[]),
    case("cache-latency", "delay=20ms", 300, &[]),
    case("cache-stampede", "interval=100ms", 500, &[]),
    case("cache-stale", "", 500, &[]),
    case("cache-hot-key", "rps=500&size=16KiB", 500, &[]),
    case("cache-growth", "size=2MiB&step=1MiB", 700, &[]),
    // The relay tries again later, as it does when the broker does not respond.
    case("publish-error", "", 2_500, &["UPDATE outbox SET attempts"]),
    case("publish-duplicate", "", 300, &[]),
    case("queue-flood", "rps=100", 400, &[]),
    // Unreadable messages go to the topic for them.
    case("poison-message", "interval=50ms", 400, &[".dlq"]),
    case("consumer-slow", "delay=30ms", 300, &[]),
    case("consumer-pause", "", 500, &[]),
    case("rebalance-storm", "interval=1s", 1_000, &[]),
    case("commit-skip", "", 300, &[]),
    case("notify-fail", "", 500, &[]),
    case("notify-slow", "delay=30ms", 300, &[]),
    case("cpu-burn", "threads=2&rate=0.3", 400, &[]),
    case("memory-leak", "limit=64MiB&step=8MiB", 700, &[]),
    case("executor-block", "block=30ms&interval=100ms", 400, &[]),
    case("fd-leak", "limit=100", 500, &[]),
    // A job whose output nobody collects.
    case("disk-fill", "size=2MiB&step=1MiB&keep=64MiB", 500, &["file spool-N.tmp"]),
    // It ends with the process; the sweep tests a plan that is withdrawn in time.
    case("crash", "after=1m", 200, &[]),
    // State that a process stumbles over at each start.
    case("crash-loop", "after=1m", 500, &[".checkpoint"]),
    case("log-flood", "lps=500", 400, &[]),
    case("wrong-total", "", 300, &[]),
    case("lost-update", "", 300, &[]),
    case("metrics-gone", "rate=0.5", 300, &[]),
    case("trace-drop", "", 300, &[]),
    case("log-drop", "", 300, &[]),
    case("cardinality-bomb", "series=200", 700, &[]),
    case("object-slow", "delay=30ms", 300, &[]),
    case("object-error", "", 300, &[]),
    case("object-denied", "", 300, &[]),
    case("object-full", "", 300, &[]),
    case("object-corrupt", "", 300, &[]),
    case("object-lost", "", 300, &[]),
];

/// What may be left by an operation whose client gave up, or that met a busy machine, without any fault.
pub(super) const ANY: &[&str] = &[
    // An upload that is arriving at the object store; it is looked at too rarely to be seen for certain at rest.
    "file U",
    // Slow statements are logged again with their duration.
    "LOG: duration",
    " ROLLBACK",
    // The statement itself is on a separate line as well.
    "STATEMENT: ",
    // Two requests for one row, on a busy machine.
    "still waiting for",
    " acquired ",
    "Process holding the lock",
    "CONTEXT: while ",
    // Its client had left before.
    "SELECT pg_backend_pid()",
    "canceling statement due to user request",
    "there is no transaction in progress",
    "could not receive data from client",
    "could not send data to client",
    "connection to client lost",
    "unexpected EOF on client connection",
];

/// The row of a fault.
///
/// # Panics
/// When a fault has no row: say what its real cause would leave.
pub(super) fn of(fault: &str) -> &'static Case {
    CASES
        .iter()
        .find(|case| case.fault == fault)
        .unwrap_or_else(|| panic!("the sweep has no row for `{fault}`"))
}
