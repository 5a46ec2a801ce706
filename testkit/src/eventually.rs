//! Waiting with a deadline instead of sleeping.

use std::time::{Duration, Instant};

/// Between two looks at something cheap.
const PAUSE: Duration = Duration::from_millis(20);

/// Asks `check` again and again until it answers `Ok`, and returns that.
///
/// # Panics
/// When the deadline passes, with the last failure; a check that hangs counts as one.
pub async fn eventually<T, F, Fut>(deadline: Duration, check: F) -> T
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<T, String>>,
{
    eventually_every(PAUSE, deadline, check).await
}

/// As [`eventually`], with this pause between two looks: for checks that cost something.
///
/// # Panics
/// As [`eventually`].
pub async fn eventually_every<T, F, Fut>(pause: Duration, deadline: Duration, mut check: F) -> T
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<T, String>>,
{
    let start = Instant::now();
    let mut last = "the check never finished".to_owned();
    while let Some(left) = deadline.checked_sub(start.elapsed()) {
        match tokio::time::timeout(left, check()).await {
            Ok(Ok(value)) => return value,
            Ok(Err(failure)) => last = failure,
            Err(_) => break,
        }
        tokio::time::sleep(pause).await;
    }
    panic!("not within {deadline:?}: {last}");
}
