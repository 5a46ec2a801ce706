//! The closed loop: N callers, each of which sends its next request after a response. Measures how much a system can do;
//! it cannot show how long users wait, because a slow response also delays the next request.

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{Caller, until};
use crate::{target::Target, workload::Workload};

pub(super) async fn run<T: Target>(
    caller: &Caller<T>,
    workload: Workload,
    concurrency: usize,
    end: Option<Instant>,
    stop: &CancellationToken,
) {
    let workload = Arc::new(Mutex::new(workload));
    let over = CancellationToken::new();
    for _ in 0..concurrency {
        let (task, workload, over) = (caller.clone(), Arc::clone(&workload), over.clone());
        caller.in_flight.spawn(async move {
            while !over.is_cancelled() {
                let next = workload.lock().next();
                let Some(operation) = next else { return };
                task.call(operation, Instant::now()).await;
            }
        });
    }
    tokio::select! {
        () = stop.cancelled() => {}
        () = until(end) => {}
    }
    over.cancel();
}
