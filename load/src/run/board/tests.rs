//! What a board counts, and that it stays small.

use super::*;

fn sample(due: u64, ms: u64, failure: Option<&str>) -> Sample {
    let failure = failure.map(str::to_owned);
    Sample { due: Duration::from_secs(due), time: Duration::from_millis(ms), failure }
}

#[test]
fn a_step_that_waits_is_no_request_and_a_warm_up_is_not_measured() {
    let mut board = Board::new(&[("place", false), ("settle", true)], &["order"], Duration::from_secs(10));
    board.step(0, &sample(5, 1_000, None));
    board.step(0, &sample(11, 10, None));
    board.step(0, &sample(12, 30, Some("status 503")));
    board.step(1, &sample(11, 4_000, None));
    assert_eq!((board.total.count(), board.total.errors()), (2, 1));
    assert!(board.total.quantile_ms(1.0) < 31.0);
    assert_eq!(board.steps[1].within(Duration::from_secs(5)), 1);
    assert_eq!(board.steps[0].within(Duration::from_secs(5)), 1, "a failure is never within");
    board.skip(Duration::from_secs(5));
    board.skip(Duration::from_secs(15));
    assert_eq!(board.skipped, 1);
}

/// Bytes on the heap: of the histograms, the curve and the reasons.
fn bytes(board: &Board) -> usize {
    let histogram = |histogram: &Histogram<u64>| histogram.distinct_values() * size_of::<u64>();
    let rows =
        board.steps.iter().chain(&board.journeys).chain([&board.total, &board.last, &board.last_awaited]);
    let rows: usize = rows
        .map(|row| {
            let reasons: usize = row.failures.keys().map(|reason| reason.capacity() + 64).sum();
            histogram(&row.times) + histogram(&row.good) + reasons
        })
        .sum();
    rows + histogram(&board.late) + board.curve.capacity() * size_of::<Point>()
}

#[test]
fn an_hour_at_200_per_second_takes_no_more_memory_than_its_first_minutes() {
    let steps = [("place", false), ("settle", true), ("read", false), ("list", false)];
    let mut board = Board::new(&steps, &["order", "browse"], Duration::ZERO);
    let mut early = 0;
    for second in 0..3_600_u64 {
        for n in 0..200 {
            let number = second * 200 + n;
            // From a fraction of a millisecond to a timeout of half a minute, and one failure in fifty, of which a hostile server
            // makes ever new ones.
            let ms = if number % 4_999 == 0 { 30_000 } else { number * 7_919 % 900 };
            let failure = (number % 50 == 0).then(|| format!("status {number}"));
            let failure = failure.as_deref();
            board.step((number % 4) as usize, &sample(second, ms, failure));
            board.journey((number % 2) as usize, &sample(second, ms, failure));
            board.late(Duration::from_micros(number % 5_000));
        }
        board.tick(Duration::from_secs(second + 1), 200.0, 40);
        if second == 600 {
            early = bytes(&board);
        }
    }
    let curve = POINTS * size_of::<Point>() * 2;
    let late = bytes(&board);
    assert!(late <= early + curve, "{early} bytes after ten minutes, {late} after an hour");
    // What is left of 20 MiB is for the program, its connections and its journeys in flight.
    assert!(late < 6 << 20, "{late} bytes");
    let row = &board.steps[0];
    assert_eq!((row.failures.len(), row.errors() > 1_000), (REASONS + 1, true));
    board.step(0, &sample(3_600, 1_000 * 86_400, None));
    assert!(bytes(&board) < 6 << 20, "a day is recorded as two hours");
}

#[test]
fn a_day_has_a_bounded_curve_that_keeps_its_peaks() {
    let mut board = Board::new(&[("a", false)], &["j"], Duration::ZERO);
    for second in 0..86_400_u64 {
        let ms = if second == 40_000 { 5_000 } else { 10 };
        board.step(0, &sample(second, ms, None));
        board.tick(Duration::from_secs(second + 1), 1.0, 3);
    }
    assert!(board.curve.len() < POINTS, "{}", board.curve.len());
    assert!(board.curve.is_sorted_by_key(|point| point.at));
    assert!(board.curve.iter().any(|point| point.p99 > 4_900.0));
    assert!(board.curve.iter().all(|point| (point.rate - 1.0).abs() < 0.01));
}
