//! The four figures, from releases that ended in every way.

use proptest::prelude::*;
use release::{
    dora::{Caused, Delivery, Rate, figures},
    run::How,
};

use crate::support::after;

const DAY: i64 = 86_400;

fn delivery(number: i64, how: How) -> Delivery {
    let met = after(number * 1000);
    Delivery {
        release: format!("rel-{number}"),
        service: "order-api".to_owned(),
        written: met - chrono::TimeDelta::seconds(600),
        met: Some(met),
        ended: met + chrono::TimeDelta::seconds(60),
        how,
        exposed: 0.05,
    }
}

fn caused(number: i64, lasts: Option<i64>) -> Caused {
    let began = number * 1000 + 100;
    let restored = lasts.map(|seconds| after(began + seconds));
    Caused { release: format!("rel-{number}"), began: after(began), restored }
}

#[test]
fn each_figure_counts_what_it_says() {
    let mut unmet = delivery(6, How::RolledBack);
    unmet.met = None;
    let deliveries = [
        delivery(0, How::Released),
        delivery(1, How::Released),
        delivery(2, How::RolledBack),
        delivery(3, How::Released),
        delivery(4, How::Aborted),
        delivery(5, How::Stuck),
        unmet,
        delivery(1_000_000, How::Released),
    ];
    let caused = [caused(1, Some(300)), caused(3, None)];
    let figures = figures(&deliveries, &caused, (after(0), after(2 * DAY)), 7);
    assert_eq!((figures.deployments, figures.per_day), (3, Some(1.5)));
    let lead = figures.lead_time.unwrap();
    assert_eq!((lead.n, lead.median), (3, 660.0));
    // Users met 0, 1, 2, 3 and 5; 1, 2, 3 and 5 failed.
    let failures = figures.failures.unwrap();
    assert_eq!((failures.some, failures.all), (4, 5));
    let restore = figures.restore.unwrap();
    assert_eq!((restore.n, restore.median), (2, 180.0));
    assert_eq!(figures.lasting, 2);
}

#[test]
fn no_release_is_no_figure_and_not_zero_failures() {
    let figures = figures(&[], &[], (after(0), after(DAY)), 7);
    assert_eq!((figures.deployments, figures.per_day), (0, Some(0.0)));
    assert_eq!((figures.lead_time, figures.failures, figures.restore), (None, None, None));
}

#[test]
fn few_changes_say_little() {
    let (one, many) = (Rate::of(0, 1).unwrap(), Rate::of(0, 1000).unwrap());
    assert!(one.interval.1 > 0.7 && many.interval.1 < 0.005, "{one:?} {many:?}");
    // The example of Wilson's interval in many textbooks: 4 of 10.
    let (low, high) = Rate::of(4, 10).unwrap().interval;
    assert!((low - 0.168).abs() < 0.001 && (high - 0.687).abs() < 0.001, "{low} {high}");
    assert_eq!(Rate::of(0, 0), None);
}

proptest! {
    #[test]
    fn a_rate_is_inside_its_interval(some in 0..500_usize, more in 0..500_usize) {
        if let Some(Rate { share, interval: (low, high), .. }) = Rate::of(some, some + more) {
            prop_assert!((0.0..=share).contains(&low) && (share..=1.0).contains(&high), "{low} {share} {high}");
        }
    }
}
