//! `crash`: the process is gone, without a drain, a flush or a word.

use chassis_faults::{FaultPoint, Strike};

pub(super) async fn crash(point: FaultPoint, strike: Strike) {
    tokio::time::sleep(strike.duration("after")).await;
    if strike.sample() < point.level() {
        std::process::abort();
    }
    // Spared: this plan does nothing more.
    std::future::pending::<()>().await;
}
