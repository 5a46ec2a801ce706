//! `cpu-burn`: threads that compute for `level` of the time.

use std::{
    hint::black_box,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use chassis_faults::{FaultPoint, Strike, part};

use crate::catalogue::CpuBurn;

/// Busy and idle parts add up to this: short enough that usage looks even within a second and that threads end promptly.
const PERIOD: Duration = Duration::from_millis(20);
/// Tells the threads to end.
const STOP: u64 = u64::MAX;

pub(super) async fn burn(point: FaultPoint<CpuBurn>, strike: Strike<CpuBurn>) {
    let threads = match usize::try_from(strike.params.threads) {
        Ok(threads) if threads > 0 => threads,
        _ => thread::available_parallelism().map_or(1, usize::from),
    };
    let load = Load::default();
    let name = runtimes_own();
    for _ in 0..threads {
        let busy = Arc::clone(&load.busy_nanos);
        // One thread less is no reason to stop: the process is short of resources anyway.
        let _ = thread::Builder::new().name(name.clone()).spawn(move || work(&busy));
    }
    loop {
        let nanos = part(u64::try_from(PERIOD.as_nanos()).unwrap_or(STOP), point.level());
        load.busy_nanos.store(nanos, Ordering::Relaxed);
        point.changed().await;
    }
}

/// The name of the async runtime's threads: its workers, and the threads on which it runs blocking code.
fn runtimes_own() -> String {
    // This runs on one of them.
    thread::current().name().unwrap_or("tokio-rt-worker").to_owned()
}

/// Busy time of each thread per [`PERIOD`]. Dropping it ends the threads.
#[derive(Default)]
struct Load {
    busy_nanos: Arc<AtomicU64>,
}

impl Drop for Load {
    fn drop(&mut self) {
        self.busy_nanos.store(STOP, Ordering::Relaxed);
    }
}

fn work(busy: &AtomicU64) {
    loop {
        let nanos = busy.load(Ordering::Relaxed);
        if nanos == STOP {
            return;
        }
        let busy = Duration::from_nanos(nanos);
        let begun = Instant::now();
        let mut x: u64 = 1;
        while begun.elapsed() < busy {
            for _ in 0..2_000 {
                x = black_box(x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1));
            }
        }
        thread::sleep(PERIOD.saturating_sub(busy));
    }
}
