//! What to do about a resource that is full: where to look, and what helps. Pure.

use std::fmt::Write as _;

use super::{Findings, Saturated, telemetry::FULL};

/// Beginnings of the names of resources, each with what to do.
const ADVICE: &[(&str, &str)] = &[
    (
        "connection pool",
        "Requests wait for a connection. If a CPU or a lock is full as well, the connections are held too long: begin there. If not, \
         raise `DB_POOL_SIZE` of this service, and keep the sum of all pools below the connections of PostgreSQL.",
    ),
    (
        "CPU of a process",
        "`just flame SERVICE` draws where its time goes, and `just flame --operation place-order --top 3` names the three largest costs \
         of an order. What is left needs more replicas; on Kubernetes, `load capacity autoscalers` says whether they would come in time.",
    ),
    (
        "CPU of the machine",
        "Everything shares it, the generator included: run `load capacity` from another machine to see the system alone. Then as for the \
         CPU of a process, the busiest first: `just flame --operation place-order --top 3`.",
    ),
    (
        "connections of PostgreSQL",
        "Smaller pools first: each session is a process, and more of them than cores wait for each other. Then a pooler (PgBouncer).",
    ),
    (
        "requests in flight",
        "Requests wait for something behind this service. A trace of a slow one says for what: `load run average --trace-ratio 0.1`, or \
         the traces in Grafana. A higher `MAX_IN_FLIGHT` only lets more of them wait.",
    ),
    (
        "consumer lag",
        "order-worker settles fewer orders than arrive. More replicas of it, at most one for each partition (`keda.enabled` adds them by \
         the lag); then more partitions. If the database is full as well, they do not help.",
    ),
    (
        "locks",
        "A transaction is open for long, and others wait for its locks: `./lab psql orders` and pg_stat_activity show which. Shorten it \
         before anything else: more replicas make it worse.",
    ),
];

/// What to do about the resource of this name.
pub(super) fn about(name: &str) -> Option<&'static str> {
    ADVICE.iter().find(|(start, _)| name.starts_with(*start)).map(|(_, advice)| *advice)
}

/// Writes the section: what is full, the first to limit first, or else the fullest alone; and how to see whether a change has helped.
pub(super) fn write(out: &mut String, findings: &Findings) {
    let Some(fullest) = findings.saturated.first() else { return };
    out.push_str("\n## What to do about it\n\n");
    let full = findings.saturated.iter().filter(|saturated| saturated.share >= FULL);
    let mut named: Vec<&Saturated> = full.take(3).collect();
    if named.is_empty() {
        let _ = writeln!(
            out,
            "Nothing is full, so look at a trace of a slow request first: `load run {} --trace-ratio 0.1`. The fullest is:\n",
            findings.scenario
        );
        named.push(fullest);
    }
    for Saturated { name, share } in named {
        let advice = about(name).unwrap_or("A trace of a slow request says what waits for it.");
        let _ = writeln!(out, "- **{name}**, {:.0} % full. {advice}", share * 100.0);
    }
    out.push_str(
        "\nChange one thing at a time. `just perf main` says whether the change made an order slower or quicker, and `load capacity` \
         whether the knee moved; `load results compare` shows both knees.\n",
    );
}

#[cfg(test)]
mod tests {
    use super::{
        super::{SATURATION, findings::example},
        *,
    };

    fn text(saturated: &[(&str, f64)]) -> String {
        let saturated =
            saturated.iter().map(|(name, share)| Saturated { name: (*name).to_owned(), share: *share });
        let mut out = String::new();
        write(&mut out, &Findings { saturated: saturated.collect(), ..example() });
        out
    }

    #[test]
    fn every_resource_that_is_asked_for_has_advice() {
        for query in SATURATION {
            assert!(about(query.name).is_some(), "{}", query.name);
        }
        assert_eq!(about("the weather"), None);
    }

    #[test]
    fn what_is_full_has_its_advice_and_the_rest_none() {
        let said = text(&[("connection pool order-api", 0.97), ("CPU of the machine", 0.4)]);
        assert!(
            said.contains("- **connection pool order-api**, 97 % full.") && said.contains("DB_POOL_SIZE")
        );
        assert!(!said.contains("**CPU of the machine**"), "{said}");
        let idle = text(&[("CPU of the machine", 0.4)]);
        assert!(
            idle.contains("Nothing is full") && idle.contains("- **CPU of the machine**, 40 %"),
            "{idle}"
        );
        assert_eq!(text(&[]), "", "nothing was asked");
    }
}
