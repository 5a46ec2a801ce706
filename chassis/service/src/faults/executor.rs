//! `executor-block`: every worker of the async runtime sleeps in a blocking call, as after a forgotten `spawn_blocking`.

use std::thread;

use tokio::{runtime::Handle, task::JoinSet, time::Instant};

use chassis_faults::{FaultPoint, Strike};

use crate::catalogue::ExecutorBlock;

pub(super) async fn block(point: FaultPoint<ExecutorBlock>, strike: Strike<ExecutorBlock>) {
    let ExecutorBlock { block: full, interval } = strike.params;
    loop {
        let begun = Instant::now();
        let time = full.mul_f64(point.level());
        let mut workers = JoinSet::new();
        // A blocked worker cannot run a second one of these tasks, so as many tasks as workers block all of them.
        for _ in 0..Handle::current().metrics().num_workers() {
            workers.spawn(async move { thread::sleep(time) });
        }
        while workers.join_next().await.is_some() {}
        tokio::time::sleep_until(begun + interval).await;
    }
}
