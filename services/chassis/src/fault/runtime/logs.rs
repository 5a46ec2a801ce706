//! `log-flood`: lines such as a service writes when somebody left its log level too low.

use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval};
use tracing::info;

use super::{FaultPoint, Strike};

const TICK: Duration = Duration::from_millis(50);

pub(super) async fn flood(point: FaultPoint, strike: Strike) {
    let full = u32::try_from(strike.count("lps")).map_or(f64::MAX, f64::from);
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let (mut last, mut due, mut n) = (Instant::now(), 0.0, 0_u64);
    loop {
        let now = ticks.tick().await;
        due += full * point.level() * (now - last).as_secs_f64();
        last = now;
        while due >= 1.0 {
            due -= 1.0;
            n = n.wrapping_add(1);
            write(n);
        }
    }
}

fn write(n: u64) {
    let key = n.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
    let micros = 40 + key % 900;
    match n % 4 {
        0 => info!(target: "chassis::pool", key, micros, "connection checked out"),
        1 => info!(target: "chassis::pool", key, micros, "connection returned"),
        2 => info!(target: "chassis::lookup", key, micros, "lookup finished"),
        _ => info!(target: "chassis::lookup", key, micros, "entry is fresh, nothing to do"),
    }
}
