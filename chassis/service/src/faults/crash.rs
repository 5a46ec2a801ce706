//! `crash`: the process is gone, without a drain, a flush or a log line.

use chassis_faults::{FaultPoint, Strike};

use crate::catalogue::Crash;

pub(super) async fn crash(point: FaultPoint<Crash>, strike: Strike<Crash>) {
    tokio::time::sleep(strike.params.after).await;
    if strike.sample() < point.level() {
        std::process::abort();
    }
    // Not this time: the plan does nothing more.
    std::future::pending::<()>().await;
}
