//! Which tests run once more on Apache Kafka: a durable log, a real coordinator, a broker that is killed and started
//! again.
//!
//! Those of the pipeline in every run. Of the services' own, those about messages in the part of the day: most of them
//! start a broker, and each start is two of Java. What stays on the mock cluster is in `docs/testing.md`, with the
//! reason.

use crate::{
    part::{self, Long},
    programs::Program,
    run::Job,
};

/// The three services in one process: all of its tests.
pub(crate) const PIPELINE: &str = "-p pipeline --test flow";
const API: &str = "-p order-api --test api";
const WORKER: &str = "-p order-worker --test api";
/// Of the services' own tests, the modules about messages; about five brokers in each part.
const OF_SERVICES: [(&str, &[&str]); part::PARTS] = [
    (WORKER, &["payments::", "redrive::"]),
    (WORKER, &["outages::", "bad_messages::", "signatures::"]),
    (WORKER, &["poison::"]),
    (API, &["contradictions::", "signatures::"]),
    (API, &["poison::", "freshness::"]),
];

/// These tests, `threads` at a time.
pub(crate) fn jobs(programs: &[Program], long: Long, threads: usize) -> Vec<Job> {
    let of_services = long.of(&OF_SERVICES);
    let chosen = [(PIPELINE, &[] as &[&str])].into_iter().chain(of_services);
    chosen
        .filter_map(|(target, only)| {
            let program = programs.iter().find(|program| program.target == target)?.clone();
            let variable = Some(("TEST_KAFKA", "apache"));
            Some(Job { only: only.to_vec(), variable, ..Job::new(program, threads) })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, path::Path};

    use super::*;

    /// Modules of these programs that stay on the mock cluster: no message matters in them, or it does not matter which
    /// broker has it. `docs/testing.md` says why, for each.
    const LEFT: [(&str, &[&str]); 2] = [
        (WORKER, &["admin", "contract", "faults", "process", "sweep"]),
        (
            API,
            &[
                "contract",
                "faults",
                "idempotency",
                "instructions",
                "migrations",
                "openapi",
                "place_order",
                "process",
                "read_orders",
                "risky",
                "robustness",
                "sweep",
                "traces",
            ],
        ),
    ];

    fn root() -> &'static Path {
        Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
    }

    /// The modules of a program that have tests.
    fn modules(target: &str) -> BTreeSet<String> {
        let package = target.split(' ').nth(1).unwrap();
        let folder = root().join("services").join(package).join("tests/api");
        let tests = |text: String| ["#[test]", "#[tokio::test"].iter().any(|mark| text.contains(mark));
        let has_tests = |path: &Path| path.is_dir() || fs::read_to_string(path).is_ok_and(tests);
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let named =
            entries.filter(|path| path.extension().is_none_or(|kind| kind == "rs") && has_tests(path));
        named.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn every_module_of_the_services_about_orders_runs_on_apache_kafka_or_says_why_not() {
        let readme = fs::read_to_string(root().join("docs/testing.md")).unwrap();
        for (target, left) in LEFT {
            let on_apache =
                OF_SERVICES.iter().filter(|(of, _)| *of == target).flat_map(|(_, only)| only.iter());
            let on_apache: Vec<_> = on_apache.map(|word| word.trim_end_matches("::")).collect();
            let all: BTreeSet<String> = on_apache.iter().chain(left).map(|&name| name.to_owned()).collect();
            assert_eq!(all.len(), on_apache.len() + left.len(), "{target}: none twice");
            let mut found = modules(target);
            // The snapshots, and files without tests.
            found.retain(|module| module != "snapshots");
            assert_eq!(all, found, "{target}");
            for module in left {
                assert!(readme.contains(&format!("`{module}`")), "docs/testing.md does not name {module}");
            }
        }
    }

    #[test]
    fn a_day_has_the_pipeline_and_one_part_of_the_services() {
        let program =
            |target: &str| Program { target: target.to_owned(), path: "/t".into(), folder: "/w".into() };
        let programs = [PIPELINE, API, WORKER].map(program);
        let names = |long| jobs(&programs, long, 2).iter().map(Job::name).collect::<Vec<_>>();
        assert_eq!(
            names(Long::Part(0)),
            [
                "TEST_KAFKA=apache -p pipeline --test flow",
                "TEST_KAFKA=apache -p order-worker --test api payments:: redrive::",
            ]
        );
        assert_eq!(names(Long::All).len(), 1 + part::PARTS);
    }
}
