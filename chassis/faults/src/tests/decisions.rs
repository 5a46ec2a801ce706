//! Which unit of work is hit.

use super::*;
use crate::decide::{Draw, draw};

#[tokio::test(start_paused = true)]
async fn a_point_that_is_off_never_strikes() {
    let faults = faults();
    assert_eq!(share(&hits(&faults, &HTTP_ERROR, 1000)), 0.0);
    assert_eq!(faults.point(&CPU_BURN).level(), 0.0);
    assert!(faults.point(&HTTP_ERROR).active().is_none());
}

#[tokio::test(start_paused = true)]
async fn the_share_of_hits_is_the_rate() {
    let faults = faults();
    for rate in [0.0, 0.2, 0.5, 1.0] {
        faults.set("http-error", &format!("rate={rate}")).unwrap();
        let share = share(&hits(&faults, &HTTP_ERROR, 10_000));
        // Five standard deviations of a binomial share.
        let tolerance = 5.0 * (rate * (1.0 - rate) / 10_000.0_f64).sqrt();
        assert!((share - rate).abs() <= tolerance, "{rate}: {share}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_hits_the_same_requests_and_another_seed_hits_others() {
    let faults = faults();
    let run = |query: &str| {
        faults.set("http-error", query).unwrap();
        hits(&faults, &HTTP_ERROR, 200)
    };
    let first = run("rate=0.3&seed=42");
    assert_eq!(first, run("rate=0.3&seed=42"));
    assert_ne!(first, run("rate=0.3&seed=43"));
    assert_ne!(run("rate=0.3"), run("rate=0.3"), "without a seed each run is its own");
}

#[test]
fn a_decision_depends_on_seed_and_number_only_and_stays_the_same_between_releases() {
    let backwards: Vec<Draw> = (0..50).rev().map(|n| draw(7, n)).collect();
    let forwards: Vec<Draw> = (0..50).map(|n| draw(7, n)).collect();
    assert_eq!(forwards, backwards.into_iter().rev().collect::<Vec<_>>());
    let chances = [draw(1, 0), draw(1, 1), draw(2, 0)].map(|draw| (draw.chance * 1e6).round() / 1e6);
    assert_eq!(chances, [0.402_486, 0.851_912, 0.881_341]);
}

#[tokio::test(start_paused = true)]
async fn a_higher_rate_under_the_same_seed_hits_at_least_the_same_requests() {
    let faults = faults();
    faults.set("http-error", "rate=0.2&seed=5").unwrap();
    let few = hits(&faults, &HTTP_ERROR, 300);
    faults.set("http-error", "rate=0.6&seed=5").unwrap();
    let many = hits(&faults, &HTTP_ERROR, 300);
    assert!(few.iter().zip(&many).all(|(few, many)| !few || *many));
}

#[tokio::test(start_paused = true)]
async fn a_scoped_plan_hits_its_route_and_users_only() {
    let faults = faults();
    let point = faults.point(&HTTP_ERROR);
    let struck = async |scope: Scope| scope.enter(async { point.strike().is_some() }).await;
    for (query, inside, outside) in [
        ("route=/orders/{id}", scope("/orders/{id}", "u1", "gold"), scope("/orders", "u1", "gold")),
        ("route=/orders/id", scope("/orders/{id}", "u1", "gold"), scope("/orders", "u1", "gold")),
        ("user_id=u1", scope("/orders", "u1", "gold"), scope("/orders", "u2", "gold")),
        ("user_tier=gold", scope("/orders", "u1", "gold"), scope("/orders", "u1", "free")),
        ("route=/orders&user_tier=gold", scope("/orders", "u1", "gold"), scope("/users", "u1", "gold")),
    ] {
        faults.set("http-error", query).unwrap();
        assert!(struck(inside).await, "{query}");
        assert!(!struck(outside).await, "{query}");
        assert!(point.strike().is_none(), "{query}: work of unknown scope is outside");
    }
}

#[tokio::test(start_paused = true)]
async fn work_outside_the_scope_takes_no_decision_so_a_replay_stays_aligned() {
    let faults = faults();
    let point = faults.point(&HTTP_ERROR);
    let replay = async |noise: usize| {
        faults.set("http-error", "rate=0.4&seed=9&user_id=u1").unwrap();
        let mut hits = Vec::new();
        for _ in 0..100 {
            for _ in 0..noise {
                scope("/", "u2", "free").enter(async { point.strike().is_some() }).await;
            }
            hits.push(scope("/", "u1", "free").enter(async { point.strike().is_some() }).await);
        }
        hits
    };
    assert_eq!(replay(0).await, replay(3).await);
}

#[tokio::test(start_paused = true)]
async fn only_a_plan_about_a_subject_needs_more_than_the_route() {
    let faults = faults();
    let point = faults.point(&HTTP_ERROR);
    assert!(!point.asks_more_than(&Scope::default()));
    faults.set("http-error", "route=/orders").unwrap();
    assert!(!point.asks_more_than(&Scope::default()));
    faults.set("http-error", "user_tier=gold").unwrap();
    assert!(
        point.asks_more_than(&Scope::default()) && !point.asks_more_than(&scope("/orders", "u1", "gold"))
    );
}

#[tokio::test(start_paused = true)]
async fn two_switchboards_in_one_process_are_independent() {
    let (one, other) = (faults(), faults());
    one.set("http-error", "").unwrap();
    assert!(one.point(&HTTP_ERROR).strike().is_some());
    assert!(other.point(&HTTP_ERROR).strike().is_none());
}
