//! What is generated: equal to the committed text, and accepted by promtool, for specs of every kind.

use std::fs;

use slo::{Clock, generate, lint};

use crate::support::{catalogue, promtool, root, slos};

#[test]
fn the_committed_files_are_what_the_specs_say() {
    let committed = |path: &str| fs::read_to_string(root().join(path)).unwrap_or_default();
    let files = generate::files(&slos()).into_iter().filter(|file| committed(&file.path) != file.text);
    let stale: Vec<_> = files.map(|file| file.path).collect();
    assert!(stale.is_empty(), "run `just generate`: {stale:?} differ");
}

#[test]
fn runbooks_and_alertmanager_have_the_burn_windows_of_the_one_table() {
    let parts = generate::parts(&slos());
    assert_eq!(parts.len(), slos().len() + Clock::ALL.len(), "each runbook, and Alertmanager on each clock");
    for part in parts {
        let committed = fs::read_to_string(root().join(&part.path)).expect(&part.path);
        assert_eq!(part.written_into(&committed).as_ref(), Ok(&committed), "run `just generate`");
    }
}

#[test]
fn the_committed_specs_have_no_lint() {
    for slo in slos() {
        assert_eq!(lint::errors(&slo, &catalogue()), [], "{}", slo.name);
    }
}

#[test]
fn promtool_accepts_every_generated_rule_and_passes_every_generated_test() {
    let dashboards = root().join("dashboards");
    for clock in Clock::ALL {
        let rules = format!("rules/{clock}/slo.yml");
        let Some(said) = promtool(&dashboards, &["check", "rules", "--lint=all", &rules]) else { return };
        assert!(said.contains("SUCCESS"), "{said}");
        for name in ["outages", "tickets", "traps"] {
            promtool(&dashboards, &["test", "rules", &format!("tests/slo-{clock}-{name}.test.yml")]);
        }
    }
}

/// Objectives of the kinds that are not among the committed ones: good of all, a whole second, calendar windows.
fn other_kinds() -> Vec<(String, String)> {
    let spec = |name: &str, indicator: &str, window: &str, objective: &str| {
        let text = format!(
            "apiVersion: openslo/v1\nkind: SLO\nmetadata:\n  name: {name}\n  annotations: {{ sre-lab/owner: a, sre-lab/promise: b, \
             sre-lab/reason: c }}\nspec:\n  service: order-api\n  indicator: {{ spec: {indicator} }}\n  timeWindow: [{window}]\n  \
             budgetingMethod: Occurrences\n  objectives: [{objective}]\n"
        );
        (format!("{name}.yaml"), text)
    };
    let source =
        |query: &str| format!("{{ metricSource: {{ type: Prometheus, spec: {{ query: '{query}' }} }} }}");
    let rolling = "{ duration: 28d, isRolling: true }";
    let calendar = |duration: &str| {
        format!(
            "{{ duration: {duration}, isRolling: false, calendar: {{ startTime: 2026-01-01 00:00:00, timeZone: UTC }} }}"
        )
    };
    let good = format!(
        "{{ ratioMetric: {{ counter: true, good: {}, total: {} }} }}",
        source(r#"order_freshness_checked_total{result!~"late|lost"}"#),
        source("order_freshness_checked_total"),
    );
    let latency =
        format!("{{ thresholdMetric: {} }}", source(r#"order_settle_duration_seconds{instance=~"[a-c]+"}"#));
    vec![
        spec("good-of-all", &good, rolling, "{ target: 0.999 }"),
        spec("whole-second", &latency, rolling, "{ op: lte, value: 5, targetPercent: 99 }"),
        spec("by-day", &good, &calendar("1d"), "{ target: 0.999 }"),
        spec("by-week", &good, &calendar("1w"), "{ target: 0.999 }"),
        spec("by-month", &good, &calendar("1M"), "{ target: 0.999 }"),
        spec("by-year", &good, &calendar("1Y"), "{ target: 0.999 }"),
    ]
}

fn written(folder: &std::path::Path, files: impl IntoIterator<Item = generate::File>) {
    for file in files {
        let path = folder.join(&file.path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(path, file.text).expect("written");
    }
}

#[test]
fn promtool_passes_the_generated_tests_of_every_other_kind_of_objective() {
    let specs = other_kinds();
    let slos = slo::spec::read_all(specs.iter().map(|(name, text)| (name.as_str(), text.as_str())))
        .expect("sound specs");
    for slo in &slos {
        assert_eq!(lint::errors(slo, &catalogue()), [], "{}", slo.name);
    }
    let folder = tempfile::tempdir().expect("a folder");
    // All but one of these count the same series, so each has its own files.
    for slo in slos.iter().filter(|slo| !slo.name.starts_with("by-")) {
        let own = folder.path().join(&slo.name);
        written(&own, generate::files(std::slice::from_ref(slo)));
        let dashboards = own.join("dashboards");
        for test in ["slo-lab-outages", "slo-production-outages", "slo-lab-traps", "slo-lab-tickets"] {
            if promtool(&dashboards, &["test", "rules", &format!("tests/{test}.test.yml")]).is_none() {
                return;
            }
        }
    }
    written(folder.path(), generate::files(&slos));
    promtool(
        folder.path(),
        &["check", "rules", "dashboards/rules/production/slo.yml", "dashboards/rules/lab/slo.yml"],
    );
}

/// The budget of a day starts over at midnight, that of a week on Monday.
#[test]
fn a_calendar_period_starts_over_with_the_calendar() {
    let specs = other_kinds();
    let slos = slo::spec::read_all(specs.iter().map(|(name, text)| (name.as_str(), text.as_str())))
        .expect("sound specs");
    let folder = tempfile::tempdir().expect("a folder");
    // promtool starts on Thursday, 1970-01-01, at midnight: a moment before the period ends, and one after.
    for (name, before, after) in [("by-day", "23h", "24h30m"), ("by-week", "95h", "96h30m")] {
        let slo: Vec<_> = slos.iter().filter(|slo| slo.name == name).cloned().collect();
        let own = folder.path().join(name);
        let rules = generate::rules(&slo, Clock::Production);
        written(&own, [generate::File { path: "rules.yml".to_owned(), text: rules }]);
        let holds = |expr: &str, at: &str| {
            format!(
                "      - {{ expr: '{expr}', eval_time: {at}, exp_samples: [{{ labels: '{{}}', value: 1 }}] }}\n"
            )
        };
        let test = format!(
            "rule_files: [rules.yml]\nevaluation_interval: 5m\ngroup_eval_order: [slo-{name}, slo-{name}-slow]\ntests:\n  \
             - interval: 2m\n    input_series:\n      \
             - {{ series: 'order_freshness_checked_total{{result=\"fresh\"}}', values: '0+90x4000' }}\n      \
             - {{ series: 'order_freshness_checked_total{{result=\"late\"}}', values: '0+10x500 5000x3500' }}\n    \
             promql_expr_test:\n{}{}",
            holds("count(slo:period_error:ratio > 0.001)", before),
            holds("count(slo:period_error:ratio == 0)", after),
        );
        fs::write(own.join("test.yml"), test).expect("written");
        if promtool(&own, &["test", "rules", "test.yml"]).is_none() {
            return;
        }
    }
}

/// promtool, unlike Prometheus, refuses to load a month of samples; so only the start of these periods is tested.
#[test]
fn a_month_begins_on_the_first_and_a_year_in_january() {
    let specs = other_kinds();
    let slos = slo::spec::read_all(specs.iter().map(|(name, text)| (name.as_str(), text.as_str())))
        .expect("sound specs");
    let rules = generate::rules(&slos, Clock::Production);
    let begin = |name: &str| {
        let lines: Vec<&str> = rules.lines().collect();
        let at = lines.iter().enumerate().position(|(at, line)| {
            line.contains("record: slo:period_start") && lines[at + 3].contains(&format!("slo: {name},"))
        });
        lines[at.expect("a rule") + 2].trim().to_owned()
    };
    let mut test = "rule_files: []\nevaluation_interval: 1h\ntests:\n  - interval: 1h\n    input_series: [{ series: x, values: 0x9000 }]\n    \
                    promql_expr_test:\n"
        .to_owned();
    // Hours since the start of 1970, and seconds until the start of the period of that moment.
    for (name, hours, began) in [
        ("by-month", 743, 0),
        ("by-month", 745, 31 * 86_400),
        ("by-month", 59 * 24 + 5, 59 * 86_400),
        ("by-year", 364 * 24 + 23, 0),
        ("by-year", 365 * 24 + 1, 365 * 86_400),
    ] {
        let expr = begin(name);
        test.push_str(&format!(
            "      - {{ expr: '{expr}', eval_time: {hours}h, exp_samples: [{{ labels: '{{}}', value: {began} }}] }}\n"
        ));
    }
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("test.yml"), test).expect("written");
    promtool(folder.path(), &["test", "rules", "test.yml"]);
}

#[test]
fn tickets_follow_theory_when_their_windows_are_full() {
    let slo = [crate::support::slo("order-availability")];
    let folder = tempfile::tempdir().expect("a folder");
    let rules = generate::File {
        path: "dashboards/rules/lab/slo.yml".to_owned(),
        text: generate::rules(&slo, Clock::Lab),
    };
    let test = generate::full_ticket_test(&slo, Clock::Lab);
    let path = test.path.clone();
    written(folder.path(), [rules, test]);
    promtool(folder.path(), &["test", "rules", &path]);
}
