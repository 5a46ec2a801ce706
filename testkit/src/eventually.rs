//! Waiting with a deadline instead of sleeping.

use std::time::{Duration, Instant};

/// Repeats `check` until it returns `Ok`, and returns the value.
///
/// # Panics
/// When the deadline passes, with the last error; a check that hangs counts as a failure.
pub async fn eventually<T, F, Fut>(deadline: Duration, mut check: F) -> T
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
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("not within {deadline:?}: {last}");
}
