//! The progress of a run on standard error: one line that is rewritten in a terminal, a line every ten seconds elsewhere.

use std::{
    io::{IsTerminal, Write},
    sync::Arc,
    time::Duration,
};

use tokio_util::sync::CancellationToken;

use crate::run::{Live, board::Board};

/// Shows `live` until `over` is cancelled.
pub(super) async fn show(live: Arc<Live>, over: CancellationToken) {
    let terminal = std::io::stderr().is_terminal();
    let every = Duration::from_secs(if terminal { 1 } else { 10 });
    let mut next = tokio::time::interval_at(tokio::time::Instant::now() + every, every);
    loop {
        tokio::select! {
            () = over.cancelled() => break,
            _ = next.tick() => {}
        }
        let line = line(&live);
        let (before, after) = if terminal { ("\r\x1b[K", "") } else { ("", "\n") };
        let _ = write!(std::io::stderr(), "{before}{line}{after}");
    }
    if terminal {
        let _ = write!(std::io::stderr(), "\r\x1b[K");
    }
}

fn line(live: &Live) -> String {
    let (elapsed, stages) = (live.elapsed(), &live.scenario.stages);
    let (stage, target) =
        stages.at(elapsed).map_or(("drain", 0.0), |(stage, rate)| (stage.name.as_str(), rate));
    let (elapsed, length, in_flight) = (elapsed.as_secs(), stages.length().as_secs(), live.in_flight());
    let measured = live.look(|board: &Board| {
        let total = &board.total;
        let last = board.curve.last().copied().unwrap_or_default();
        format!(
            "{:.0} req/s, p50 {:.1} ms, p99 {:.1} ms, {} errors, {} skipped",
            last.rate,
            last.p50,
            last.p99,
            total.errors(),
            board.skipped
        )
    });
    format!("{elapsed}/{length} s  {stage} {target:.0}/s  {measured}, {in_flight} in flight")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_line_has_stage_rate_latency_errors_and_what_is_in_flight() {
        let text = include_str!("../../scenarios/average.yaml");
        let scenario =
            crate::scenario::read("average.yaml", text).unwrap_or_else(|problems| panic!("{problems}"));
        let live = Live::new(scenario);
        let nothing = "0 req/s, p50 0.0 ms, p99 0.0 ms, 0 errors, 0 skipped, 0 in flight";
        assert_eq!(line(&live), format!("0/300 s  ramp 5/s  {nothing}"));
        tokio::time::advance(Duration::from_secs(60)).await;
        assert_eq!(line(&live), format!("60/300 s  hold 50/s  {nothing}"));
    }
}
