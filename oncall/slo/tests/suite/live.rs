//! Objectives without rules: their queries, and what follows from the answers.

use slo::{
    Clock, Sli, Slo, Window,
    live::{Events, Live, Measured},
    report::Status,
    selector::Selector,
};

use crate::support::slo;

/// Orders that were answered, of those that were asked for, at 99 %.
fn own() -> Slo {
    let selector = |text: &str| Selector::parse(text).expect("a selector");
    let (good, total) = (selector(r#"done_total{service="order-api"}"#), selector("asked_total"));
    Slo {
        name: "checkout".to_owned(),
        objective: 0.99,
        sli: Sli::Good { good, total },
        ..slo("order-availability")
    }
}

#[test]
fn a_query_counts_the_objectives_own_events_or_those_that_rules_record() {
    let (slo, indicator) = (own(), slo("order-availability"));
    let minute = Window::minutes(1);
    let query = Live::of(&slo, None, Clock::Lab).query(&[minute]);
    assert!(
        query.contains(r#"label_replace(sum(increase(asked_total[1m])), "count", "all 1m", "", "")"#),
        "{query}"
    );
    assert!(query.contains(r#"sum(increase(done_total{service="order-api"}[1m]))"#), "{query}");
    let recorded = Live::of(&slo, Some(&indicator), Clock::Lab).query(&[minute, Window::hours(12)]);
    for part in [
        r#"sum(slo:sli_total:rate1m{slo="order-availability"}) * 60"#,
        r#"sum(sum_over_time(slo:sli_bad:rate5s{slo="order-availability"}[12h])) * 1"#,
        "clamp_max(max(count_over_time(slo:objective:ratio[12h])) * 1 / 43200, 1)",
    ] {
        assert!(recorded.contains(part), "{part}: {recorded}");
    }
    for clock in Clock::ALL {
        for indicator in [None, Some(&indicator)] {
            let live = Live::of(&slo, indicator, clock);
            let query = live.query(&[&clock.windows()[..], &[live.period()]].concat());
            promql_parser::parser::parse(&query).unwrap_or_else(|error| panic!("{query}: {error}"));
        }
    }
}

#[test]
fn a_series_that_is_missing_means_what_it_means_in_the_rules() {
    let (slo, indicator, minute) = (own(), slo("order-availability"), Window::minutes(1));
    let read = |indicator, answer: &[(&'static str, f64)]| {
        let mut measured = Measured::default();
        Live::of(&slo, indicator, Clock::Lab).read(&[minute], answer.iter().copied(), &mut measured);
        measured.over.get(&minute).copied()
    };
    assert_eq!(read(None, &[("all 1m", 50.0), ("part 1m", 40.0)]), Some(Events { all: 50.0, bad: 10.0 }));
    assert_eq!(read(None, &[("all 1m", 50.0)]), Some(Events { all: 50.0, bad: 50.0 }), "no good one");
    assert_eq!(
        read(Some(&indicator), &[("all 1m", 50.0)]),
        Some(Events { all: 50.0, bad: 0.0 }),
        "no bad one"
    );
    assert_eq!(read(None, &[("part 1m", 40.0)]), None, "nothing is known");
    assert_eq!(read(None, &[("all 1m", f64::NAN)]), None);
    assert!(Events { all: 0.0, bad: 0.0 }.ratio().abs() < f64::EPSILON, "nobody asked, nobody was failed");
}

/// What is measured if this share is bad in every window.
fn measured(slo: &Slo, share: f64) -> Measured {
    let live = Live::of(slo, None, Clock::Lab);
    let windows = [&Clock::Lab.windows()[..], &[live.period()]].concat();
    let mut measured = Measured { known: Some(0.5), ..Measured::default() };
    measured.over.extend(windows.into_iter().map(|window| {
        let all = window.secs() * 100.0;
        (window, Events { all, bad: all * share })
    }));
    measured
}

#[test]
fn the_alerts_are_those_of_the_table_of_windows() {
    let slo = own();
    let live = Live::of(&slo, None, Clock::Lab);
    let names =
        |measured: &Measured| live.firing(measured).iter().map(|(pair, _)| pair.name).collect::<Vec<_>>();
    assert!(names(&measured(&slo, 0.009)).is_empty(), "within the budget");
    assert_eq!(names(&measured(&slo, 0.04)), ["ticket-fast", "ticket-slow"]);
    let mut bad = measured(&slo, 0.2);
    assert_eq!(names(&bad).len(), 4);
    // The short window ends an alert, and a single error is none.
    bad.over.insert(Window::seconds(5), Events { all: 500.0, bad: 0.0 });
    assert!(!names(&bad).contains(&"page-fast"));
    bad.over.insert(Window::minutes(6), Events { all: 2.0, bad: 1.0 });
    assert!(!names(&bad).contains(&"page-slow"));

    let (pair, ratio) = live.firing(&measured(&slo, 0.2))[0];
    let told = live.alert(&pair, ratio);
    let label = |name: &str| told.labels[name].as_str();
    assert_eq!(
        (label("alertname"), label("severity"), label("slo")),
        ("CheckoutBudgetBurn", "page", "checkout")
    );
    assert_eq!((label("long_window"), label("service")), ("1m", "order-api"));
    assert!(told.annotations["summary"].contains(": 20 % bad over 1m"), "{told:?}");
    assert!(told.annotations.values().all(|text| !text.contains("{{")), "{told:?}");
    assert!(!told.annotations.contains_key("runbook_url"), "it has none");
}

#[test]
fn the_budget_is_that_of_the_whole_period() {
    let slo = own();
    let live = Live::of(&slo, None, Clock::Lab);
    // Half of the period has been seen, and 0.4 % of its events were bad: 40 % of the budget of half a period.
    let line = live.line(&measured(&slo, 0.004));
    assert!((line.budget_remaining.expect("known") - 0.8).abs() < 1e-9, "{line:?}");
    assert_eq!((line.status, line.firing.len(), line.burn_rates.len()), (Status::Healthy, 0, 7));
    assert_eq!(line.time_to_exhaustion_seconds, Some(live.period().secs()), "at most the period");
    assert_eq!(live.line(&measured(&slo, 0.03)).status, Status::Violated);
    assert_eq!(live.line(&Measured::default()).status, Status::NoData);
}
