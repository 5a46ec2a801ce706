//! How strong a plan is over time, and that it ends.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_plan_ends_by_itself_after_its_ttl() {
    let faults = faults();
    faults.set("http-error", "ttl=5s").unwrap();
    tokio::time::advance(Duration::from_millis(4_999)).await;
    assert!(faults.point(&HTTP_ERROR).strike().is_some());
    tokio::time::advance(Duration::from_millis(1)).await;
    assert!(faults.point(&HTTP_ERROR).strike().is_none());
    assert!(!faults.point(&HTTP_ERROR).is_on(), "and costs one atomic load again");
}

#[tokio::test(start_paused = true)]
async fn without_a_ttl_it_ends_after_ten_minutes() {
    let faults = faults();
    faults.set("cpu-burn", "").unwrap();
    tokio::time::advance(SECOND * 599).await;
    assert_eq!(faults.point(&CPU_BURN).level(), 1.0);
    tokio::time::advance(SECOND).await;
    assert_eq!(faults.point(&CPU_BURN).level(), 0.0);
}

#[tokio::test(start_paused = true)]
async fn a_ramp_reaches_its_rate_in_a_straight_line() {
    let faults = faults();
    faults.set("cpu-burn", "rate=0.8&ramp=10s").unwrap();
    let point = faults.point(&CPU_BURN);
    for (second, level) in [(0, 0.0), (5, 0.4), (10, 0.8), (60, 0.8)] {
        let at = point.level();
        assert!((at - level).abs() < 1e-9 || second == 0, "{second} s: {at}");
        tokio::time::advance(SECOND * if second == 10 { 50 } else { 5 }).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_flapping_plan_is_on_for_the_start_of_each_period() {
    let faults = faults();
    faults.set("http-error", "every=10s&for=4s").unwrap();
    let point = faults.point(&HTTP_ERROR);
    let mut on = String::new();
    for _ in 0..20 {
        on.push(if point.strike().is_some() { '1' } else { '0' });
        tokio::time::advance(SECOND).await;
    }
    assert_eq!(on, "11110000001111000000");
}

#[tokio::test(start_paused = true)]
async fn a_task_is_woken_by_setting_flapping_and_expiry() {
    let faults = faults();
    let point = faults.point(&CPU_BURN);
    let started = tokio::time::Instant::now();
    let follow = tokio::spawn(async move {
        let mut seen = Vec::new();
        while seen.len() < 5 {
            point.changed().await;
            seen.push((started.elapsed().as_secs(), point.level()));
        }
        seen
    });
    tokio::time::sleep(SECOND).await;
    faults.set("cpu-burn", "every=4s&for=1s&ttl=6s").unwrap();
    // On at 1 s, off at 2 s, on at 5 s, off at 6 s, over at 7 s.
    assert_eq!(follow.await.unwrap(), [(1, 1.0), (2, 0.0), (5, 1.0), (6, 0.0), (7, 0.0)]);
}

#[tokio::test(start_paused = true)]
async fn a_change_between_reading_and_waiting_is_not_missed() {
    let faults = faults();
    let point = faults.point(&CPU_BURN);
    assert_eq!(point.level(), 0.0);
    faults.set("cpu-burn", "").unwrap();
    tokio::time::timeout(SECOND, point.changed()).await.expect("returns at once");
}

#[tokio::test(start_paused = true)]
async fn started_and_ended_follow_one_plan() {
    let faults = faults();
    let point = faults.point(&CPU_BURN);
    faults.set("cpu-burn", "threads=3&ttl=5s").unwrap();
    let strike = point.started().await;
    assert_eq!(strike.params.threads, 3);
    let begun = tokio::time::Instant::now();
    point.ended(&strike).await;
    assert_eq!(begun.elapsed(), SECOND * 5);

    faults.set("cpu-burn", "threads=1").unwrap();
    let strike = point.started().await;
    faults.set("cpu-burn", "threads=2").unwrap();
    tokio::time::timeout(SECOND, point.ended(&strike)).await.expect("a new plan ends the old one");
}

#[tokio::test(start_paused = true)]
async fn delete_ends_a_plan_and_setting_it_again_starts_over() {
    let faults = faults();
    faults.set("cpu-burn", "ramp=10s").unwrap();
    tokio::time::advance(SECOND * 10).await;
    assert_eq!(faults.point(&CPU_BURN).level(), 1.0);
    faults.set("cpu-burn", "ramp=10s").unwrap();
    assert_eq!(faults.point(&CPU_BURN).level(), 0.0);
    faults.clear("cpu-burn").unwrap();
    tokio::time::advance(SECOND * 10).await;
    assert_eq!(faults.point(&CPU_BURN).level(), 0.0);
}

#[tokio::test(start_paused = true)]
async fn the_baseline_is_on_from_the_start_and_comes_back_after_a_plan() {
    let faults = faults();
    let now = || share(&hits(&faults, &RISKY, 4_000));
    let baseline = |share: f64| (0.16..0.24).contains(&share);
    assert!(baseline(now()));
    tokio::time::advance(SECOND * 7_200).await;
    assert!(baseline(now()), "it does not expire");
    faults.set("risky", "rate=0.9&ttl=1m").unwrap();
    assert!(now() > 0.85);
    tokio::time::advance(SECOND * 60).await;
    assert!(baseline(now()), "after the ttl");
    faults.set("risky", "rate=0.9").unwrap();
    faults.clear_all();
    assert!(baseline(now()), "after a reset of all");
}

#[tokio::test(start_paused = true)]
async fn a_deleted_baseline_does_not_come_back() {
    let faults = faults();
    faults.set("risky", "rate=0.9&ttl=1m").unwrap();
    faults.clear("risky").unwrap();
    assert!(!faults.point(&RISKY).is_on());
    faults.clear_all();
    faults.set("risky", "ttl=1m").unwrap();
    tokio::time::advance(SECOND * 60).await;
    assert!(faults.point(&RISKY).strike().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_reset_ends_every_plan_that_was_set() {
    let faults = faults();
    for name in ["http-error", "http-latency", "cpu-burn"] {
        faults.set(name, "").unwrap();
    }
    faults.clear_all();
    assert!(faults.points().all(|point| !point.is_on() || point.name() == "risky"));
}

#[tokio::test(start_paused = true)]
async fn many_threads_see_a_plan_end_once() {
    let faults = faults();
    faults.set("risky", "ttl=1s").unwrap();
    tokio::time::advance(SECOND).await;
    let point = faults.point(&RISKY);
    let before = *point.version();
    std::thread::scope(|threads| {
        for _ in 0..8 {
            let (point, runtime) = (point.clone(), tokio::runtime::Handle::current());
            threads.spawn(move || {
                let _paused_clock = runtime.enter();
                point.level()
            });
        }
    });
    assert_eq!(*point.version() - before, 1);
}
