//! What is generated: equal to the committed text, and accepted by promtool, for specs of every kind.

use std::fs;

use slo::{AlertKind, Clock, generate, lint};

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
    let runbooks = slos().len() * AlertKind::ALL.len();
    assert_eq!(parts.len(), runbooks + Clock::ALL.len(), "each runbook, and Alertmanager on each clock");
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

/// The committed tests are run by `cargo xtask rules`, on Prometheus 2 and 3: to run them here too would take minutes.
#[test]
fn promtool_accepts_every_generated_rule() {
    for file in Clock::ALL.into_iter().flat_map(|clock| generate::rule_files(&slos(), clock)) {
        let Some(said) = promtool(root(), &["check", "rules", "--lint=all", &file.path]) else { return };
        assert!(said.contains("SUCCESS"), "{said}");
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
        for test in [
            "slo-lab-outages",
            "slo-production-outages",
            "slo-lab-traps",
            "slo-lab-tickets",
            "slo-lab-budgets",
        ] {
            if promtool(&dashboards, &["test", "rules", &format!("tests/{test}.test.yml")]).is_none() {
                return;
            }
        }
    }
    written(folder.path(), generate::files(&slos));
    for clock in Clock::ALL {
        for file in generate::rule_files(&slos, clock) {
            promtool(folder.path(), &["check", "rules", &file.path]);
        }
    }
}

/// The example in the documentation: orders settled per minute while orders are placed.
#[test]
fn a_throughput_pages_when_less_is_done_than_was_promised() {
    let text = include_str!("../order-throughput.yaml");
    let slo = slo::spec::read("order-throughput.yaml", text).expect("a sound spec");
    assert_eq!(lint::errors(&slo, &catalogue()), []);
    let folder = tempfile::tempdir().expect("a folder");
    written(folder.path(), generate::files(&[slo]));
    let dashboards = folder.path().join("dashboards");
    for clock in Clock::ALL {
        for name in ["throughput", "budgets"] {
            let test = format!("tests/slo-{clock}-{name}.test.yml");
            if promtool(&dashboards, &["test", "rules", &test]).is_none() {
                return;
            }
        }
    }
}

/// The alerts on the rest of the budget alone, with series as the other rules would record them.
fn rest_of_the_budget(test: &str) {
    let rules = generate::rules(&[crate::support::slo("order-availability")], Clock::Lab);
    let alerts = rules.split("      - alert: ").skip(1).filter(|alert| {
        [AlertKind::Spent, AlertKind::EndsSoon]
            .iter()
            .any(|kind| alert.lines().next().is_some_and(|name| name.ends_with(kind.ending())))
    });
    let alerts: String = alerts.map(|alert| format!("      - alert: {alert}")).collect();
    assert_eq!(alerts.matches("- alert:").count(), 2, "{alerts}");
    let folder = tempfile::tempdir().expect("a folder");
    let rules = format!("groups:\n  - name: rest\n    interval: 5s\n    rules:\n{alerts}");
    fs::write(folder.path().join("rules.yml"), rules).expect("written");
    let head =
        "rule_files: [rules.yml]\nevaluation_interval: 5s\ntests:\n  - interval: 5s\n    input_series:\n";
    let own = "{slo=\"order-availability\", service=\"order-api\"}";
    fs::write(folder.path().join("test.yml"), head.to_owned() + &test.replace("@", own)).expect("written");
    promtool(folder.path(), &["test", "rules", "test.yml"]);
}

/// Fires at the fourth value; the rest rises above nothing three times before a twentieth of the budget is back.
#[test]
fn a_spent_budget_does_not_flap_while_its_rest_goes_up_and_down_around_nothing() {
    rest_of_the_budget(
        r#"
      - { series: 'slo:error_budget_remaining:ratio@', values: '0.5 0.1 0.001 -0.001 0.001 -0.0005 0.04 -0.01 0.049 0.051 0.02 0.001' }
      - { series: 'slo:period_bad:count@', values: '100x20' }
      - { series: 'slo:sli_error:ratio_rate6m@', values: '0x20' }
      - { series: 'slo:sli_error:ratio_rate30s@', values: '0x20' }
    promql_expr_test:
      - { expr: 'sum(count_over_time(ALERTS[1h]))', eval_time: 55s, exp_samples: [{ labels: '{}', value: 6 }] }
      - { expr: 'count(ALERTS) or vector(0)', eval_time: 10s, exp_samples: [{ labels: '{}', value: 0 }] }
      - { expr: 'count(ALERTS{alertname="OrderAvailabilityBudgetSpent"})', eval_time: 40s, exp_samples: [{ labels: '{}', value: 1 }] }
      - { expr: 'count(ALERTS) or vector(0)', eval_time: 55s, exp_samples: [{ labels: '{}', value: 0 }] }
"#,
    );
}

/// A tenth is left, so an error ratio of 0.3 % ends it in 24 minutes, and one of 0.24 % in 30.
#[test]
fn a_budget_that_ends_soon_does_not_flap_and_needs_both_windows() {
    rest_of_the_budget(
        r#"
      - { series: 'slo:error_budget_remaining:ratio@', values: '0.1x20' }
      - { series: 'slo:period_bad:count@', values: '100x20' }
      - { series: 'slo:sli_error:ratio_rate6m@', values: '0 0.0029 0.0031 0.0029 0.0025 0.0031 0.0026 0.0023 0.0029 0.0031' }
      - { series: 'slo:sli_error:ratio_rate30s@', values: '0 0.0029 0.0031 0.0029 0.0025 0.0031 0.0026 0.0023 0.0029 0' }
    promql_expr_test:
      - { expr: 'sum(count_over_time(ALERTS[1h]))', eval_time: 45s, exp_samples: [{ labels: '{}', value: 5 }] }
      - { expr: 'count(ALERTS{alertname="OrderAvailabilityBudgetEndsSoon"})', eval_time: 30s, exp_samples: [{ labels: '{}', value: 1 }] }
      - { expr: 'count(ALERTS) or vector(0)', eval_time: 35s, exp_samples: [{ labels: '{}', value: 0 }] }
      - { expr: 'count(ALERTS) or vector(0)', eval_time: 45s, exp_samples: [{ labels: '{}', value: 0 }] }
"#,
    );
}

#[test]
fn one_bad_event_in_a_quiet_period_is_no_ticket() {
    rest_of_the_budget(
        r#"
      - { series: 'slo:error_budget_remaining:ratio@', values: '-1x20' }
      - { series: 'slo:period_bad:count@', values: '1x20' }
      - { series: 'slo:sli_error:ratio_rate6m@', values: '1x20' }
      - { series: 'slo:sli_error:ratio_rate30s@', values: '1x20' }
    promql_expr_test:
      - { expr: ALERTS, eval_time: 55s, exp_samples: [] }
"#,
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
    let test = generate::full_ticket_test(&slo, Clock::Lab);
    let path = test.path.clone();
    written(folder.path(), generate::rule_files(&slo, Clock::Lab).into_iter().chain([test]));
    promtool(folder.path(), &["test", "rules", &path]);
}
