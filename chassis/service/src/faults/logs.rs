//! `log-flood`: the lines about connections that a service writes at level `debug`, as if someone had raised them to `info`.

use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval};
use tracing::info;

use chassis_faults::{FaultPoint, Strike};
use chassis_telemetry::lines::{ACQUIRED, RELEASED, TARGET};

use crate::catalogue::LogFlood;

const TICK: Duration = Duration::from_millis(50);

pub(super) async fn flood(point: FaultPoint<LogFlood>, strike: Strike<LogFlood>) {
    let full = u32::try_from(strike.params.lps).map_or(f64::MAX, f64::from);
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
    let micros = n.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
    if n.is_multiple_of(2) {
        info!(target: TARGET, waited_micros = 1 + micros % 9, "{ACQUIRED}");
    } else {
        info!(target: TARGET, held_micros = 400 + micros % 900, "{RELEASED}");
    }
}
