//! The age of a replica.

use proptest::{collection::vec, prelude::*};
use recovery::lag::Trail;

#[test]
fn a_replica_is_as_old_as_the_newest_look_that_it_has_reached() {
    let mut trail = Trail::default();
    assert_eq!(trail.lag(0.0, 100, 100), 0.0);
    assert_eq!(trail.lag(1.0, 200, 150), 1.0, "it has what the primary had a second ago");
    assert_eq!(trail.lag(2.0, 300, 150), 2.0, "it stands still");
    assert_eq!(trail.lag(3.0, 400, 300), 1.0, "it catches up");
    assert_eq!(trail.lag(4.0, 400, 400), 0.0);
}

#[test]
fn an_idle_primary_has_no_lag_and_a_replaced_one_starts_over() {
    let mut trail = Trail::default();
    for second in 0..5 {
        assert_eq!(trail.lag(f64::from(second), 100, 100), 0.0);
    }
    assert_eq!(trail.lag(5.0, 50, 40), 0.0, "another history: nothing is known of its past");
    assert_eq!(trail.lag(7.0, 60, 40), 2.0);
}

proptest! {
    /// Never negative, 0 exactly for a replica that has everything, and never more than the time that was watched.
    #[test]
    fn lag_is_bounded(steps in vec((1..100_u64, 0..200_u64), 1..50)) {
        let (mut trail, mut primary, mut replica) = (Trail::default(), 0, 0_u64);
        for (second, (more, receives)) in (0_u32..).zip(steps) {
            primary += more;
            replica = (replica + receives).min(primary);
            let now = f64::from(second);
            let lag = trail.lag(now, primary, replica);
            prop_assert!((0.0..=now).contains(&lag), "{lag} at {now}");
            prop_assert!(lag == 0.0 || replica < primary);
        }
    }
}
