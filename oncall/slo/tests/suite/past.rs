//! Reports over past ranges, weeks and their trend, from answers as Prometheus gives them; and what must hold for any of them.

use chrono::{DateTime, Duration, Utc};
use proptest::prelude::*;
use slo::{
    Clock, Sla,
    report::{
        Format,
        archive::{Direction, Trend, Week},
        past::{Answers, Past, Queries, Range, Values},
    },
};

use crate::support::{slo, slos};

fn moment(text: &str) -> DateTime<Utc> {
    text.parse().expect("a time")
}

fn range(from: &str, until: &str) -> Range {
    Range { from: moment(from), until: moment(until) }
}

/// One value for every objective.
fn all(value: f64) -> Values {
    slos().into_iter().map(|slo| (slo.name, value)).collect()
}

/// A range in which every objective had this many bad events in 100,000.
fn with_bad(range: Range, bad: f64) -> Past {
    let known = f64::from(u32::try_from(range.seconds()).expect("a short range"));
    let answers = Answers {
        events: all(100_000.0),
        bad: all(bad),
        known: all(known),
        left: all(0.5),
        paged: all(30.0),
    };
    Past::new(&slos(), Clock::Lab, range, &answers)
}

fn line<'a>(past: &'a Past, name: &str) -> &'a slo::report::past::PastLine {
    past.slos.iter().find(|line| line.slo == name).expect("a line")
}

#[test]
fn a_range_has_its_own_numbers_and_says_what_is_owed() {
    // A quarter of the lab's 12 hours with 2 % bad.
    let past = with_bad(range("2026-01-05T00:00:00Z", "2026-01-05T03:00:00Z"), 2000.0);
    let orders = line(&past, "order-availability");
    assert_eq!(orders.kept(), Some(false));
    assert!((orders.sli.expect("known") - 0.98).abs() < 1e-12);
    // 20 times the budget over a quarter of the period.
    assert!((orders.budget_spent.expect("known") - 5.0).abs() < 1e-9);
    assert_eq!(orders.sla.as_ref().expect("sold").words(), "99.5 % missed: 25 % owed");
    assert_eq!(line(&past, "order-latency").kept(), Some(false), "98 % of 99 %");
    let text = past.write(Format::Text).expect("text");
    assert!(
        text.starts_with("2026-01-05 00:00:00 UTC to 2026-01-05 03:00:00 UTC (3 h), lab clock"),
        "{text}"
    );
    for format in [Format::Text, Format::Markdown, Format::Html] {
        let text = past.write(format).expect("text");
        for word in ["order-availability", "missed", "2000 of 100000", "500 %", "25 % owed", "30 s"] {
            assert!(text.contains(word), "{format:?} has no {word}:\n{text}");
        }
        assert!(!text.contains("has been recorded"), "all of it is known:\n{text}");
    }
}

#[test]
fn what_was_not_recorded_is_unknown_and_said_so() {
    let range = range("2026-01-05T00:00:00Z", "2026-01-05T01:00:00Z");
    let nothing = Past::new(&slos(), Clock::Lab, range, &Answers::default());
    assert!(!nothing.is_known());
    assert_eq!(line(&nothing, "order-availability").kept(), None);
    assert!(nothing.write(Format::Text).expect("text").contains("no data"));
    let half = Answers { events: all(0.0), bad: all(0.0), known: all(1800.0), ..Answers::default() };
    let half = Past::new(&slos(), Clock::Lab, range, &half);
    assert_eq!(line(&half, "order-availability").sli, Some(1.0), "nobody asked, nobody was failed");
    assert!(half.write(Format::Text).expect("text").contains("Only 50 % of this range has been recorded"));
}

#[test]
fn a_release_is_taken_back_for_what_would_page_and_not_for_less() {
    let minute = range("2026-01-05T00:00:00Z", "2026-01-05T00:01:00Z");
    // 1.44 % pages for an objective of 99.9 %, and 14.4 % for one of 99 %.
    let burning = with_bad(minute, 2000.0).burning();
    let orders = burning.iter().find(|reason| reason.starts_with("order-availability: "));
    assert_eq!(
        orders.map(String::as_str),
        Some("order-availability: 2000 of 100000 events were bad, 2 %; above 1.44 % somebody is paged")
    );
    assert!(!burning.iter().any(|reason| reason.starts_with("order-latency: ")), "{burning:?}");
    assert_eq!(with_bad(minute, 50.0).burning(), Vec::<String>::new());
    assert_eq!(with_bad(minute, 50.0).unknown(), Vec::<String>::new());
}

#[test]
fn what_was_not_recorded_or_not_used_does_not_count_as_good() {
    let minute = range("2026-01-05T00:00:00Z", "2026-01-05T00:01:00Z");
    let nothing = Past::new(&slos(), Clock::Lab, minute, &Answers::default());
    assert_eq!((nothing.burning().len(), nothing.unknown().len()), (0, slos().len()));
    let part = Answers { events: all(100.0), bad: all(0.0), known: all(20.0), ..Answers::default() };
    let unknown = Past::new(&slos(), Clock::Lab, minute, &part).unknown();
    assert!(unknown[0].ends_with(": 33.333 % of the time was recorded"), "{unknown:?}");
    let quiet = Answers { events: all(0.0), known: all(60.0), ..Answers::default() };
    let quiet = Past::new(&slos(), Clock::Lab, minute, &quiet);
    assert_eq!((quiet.unknown().len(), quiet.unused().len()), (0, slos().len()));
}

#[test]
fn queries_read_what_the_rules_record() {
    let queries = Queries::of(Clock::Lab, 600);
    assert_eq!(queries.bad, "sum by (slo) (sum_over_time(slo:sli_bad:rate5s[600s])) * 1");
    let queries = Queries::of(Clock::Production, 604_800);
    assert_eq!(queries.events, "sum by (slo) (sum_over_time(slo:sli_total:rate5m[604800s])) * 60");
    let Queries { events, bad, known, left, paged } = queries;
    for query in [events, bad, known, left, paged] {
        promql_parser::parser::parse(&query).unwrap_or_else(|error| panic!("{query}: {error}"));
    }
}

#[test]
fn a_week_begins_on_monday_and_sixty_times_as_often_in_the_lab() {
    let week = Week::of(Clock::Production, moment("2026-01-07T12:00:00Z"));
    assert_eq!(week.range(), range("2026-01-05T00:00:00Z", "2026-01-12T00:00:00Z"));
    assert_eq!(week.file(), "production-2026-01-05T0000Z.json");
    let lab = Week::of(Clock::Lab, moment("2026-01-07T12:00:00Z"));
    assert_eq!(lab.range().seconds(), 168 * 60);
    let over: Vec<_> = Week::over(Clock::Production, moment("2026-01-07T12:00:00Z")).take(2).collect();
    assert_eq!(over[0].range(), range("2025-12-29T00:00:00Z", "2026-01-05T00:00:00Z"));
    assert_eq!(over[1].file(), "production-2025-12-22T0000Z.json");
}

#[test]
fn a_trend_compares_weeks_and_counts_what_is_owed() {
    let weeks: Vec<Past> = Week::over(Clock::Lab, moment("2026-01-07T12:00:00Z"))
        .zip([10.0, 2000.0, 5.0])
        .map(|(week, bad)| with_bad(week.range(), bad))
        .collect();
    let trend = Trend::new(Clock::Lab, &weeks, 8);
    assert!(trend.weeks.is_sorted(), "oldest first");
    let orders = trend.slos.iter().find(|line| line.slo == "order-availability").expect("a line");
    assert_eq!((orders.kept, orders.direction), ((2, 3), Some(Direction::Better)));
    assert_eq!(orders.owed, (1, 0.25));
    assert_eq!(Trend::new(Clock::Lab, &weeks, 2).weeks.len(), 2, "the newest ones");
    assert_eq!(Trend::new(Clock::Production, &weeks, 8).slos.len(), 0, "weeks of another clock");
    for format in [Format::Text, Format::Markdown, Format::Html] {
        let text = trend.write(format).expect("text");
        for word in ["order-availability", "98 % missed", "2 of 3", "better", "1 week owed, 25 %"] {
            assert!(text.contains(word), "{format:?} has no {word}:\n{text}");
        }
    }
}

#[test]
fn a_report_survives_the_archive() {
    let past = with_bad(Week::of(Clock::Lab, moment("2026-01-07T12:00:00Z")).range(), 7.0);
    let text = past.write(Format::Json).expect("JSON");
    assert_eq!(serde_json::from_str::<Past>(&text).expect("the same"), past);
}

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + Duration::seconds(seconds)
}

proptest! {
    #[test]
    fn every_moment_is_in_exactly_one_week(seconds in 0_i64..4_000_000_000) {
        for clock in Clock::ALL {
            let week = Week::of(clock, at(seconds));
            let Range { from, until } = week.range();
            prop_assert!(from <= at(seconds) && at(seconds) < until);
            prop_assert_eq!(Week::of(clock, until).range().from, until, "weeks have no gap");
            let before = Week::over(clock, at(seconds)).next().expect("a week");
            prop_assert_eq!(before.range().until, from);
            prop_assert!(before.file() < week.file(), "files sort as their weeks");
        }
    }

    #[test]
    fn two_halves_spend_what_the_whole_spends(events in 1.0_f64..1e9, first in 0.0_f64..1.0, second in 0.0_f64..1.0) {
        let slo = [slo("order-availability")];
        let spent = |range: Range, events: f64, bad: f64| {
            let one = |value: f64| Values::from([(slo[0].name.clone(), value)]);
            let known = one(f64::from(u32::try_from(range.seconds()).expect("short")));
            let answers = Answers { events: one(events), bad: one(bad), known, ..Answers::default() };
            Past::new(&slo, Clock::Lab, range, &answers).slos[0].budget_spent.expect("known")
        };
        let half = |from: &str, until: &str, share: f64| spent(range(from, until), events, events * share);
        let halves = half("2026-01-05T00:00:00Z", "2026-01-05T01:00:00Z", first)
            + half("2026-01-05T01:00:00Z", "2026-01-05T02:00:00Z", second);
        let whole = range("2026-01-05T00:00:00Z", "2026-01-05T02:00:00Z");
        let whole = spent(whole, 2.0 * events, events * (first + second));
        prop_assert!((halves - whole).abs() <= 1e-9 * whole.max(1.0), "{halves} and {whole}");
    }

    #[test]
    fn the_worse_a_period_the_more_is_owed(one in 0.0_f64..1.0, other in 0.0_f64..1.0) {
        let sla = slo("order-availability").sla.expect("it is sold");
        let (worse, better) = if one < other { (one, other) } else { (other, one) };
        prop_assert!(sla.owed(worse) >= sla.owed(better));
        prop_assert!((0.0..=1.0).contains(&sla.owed(one)));
        prop_assert_eq!(sla.owed(one) > 0.0, one < sla.target());
        prop_assert_eq!(Sla::parse(&sla.to_string()), Ok(sla));
    }
}
