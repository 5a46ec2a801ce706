//! The open loop: starts a request when it is due, whatever happens to the earlier ones.

use std::sync::Arc;

use tokio::{
    sync::{Semaphore, watch},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

use super::{Caller, Plan, until};
use crate::{
    schedule::{Arrivals, Schedule},
    target::Target,
    workload::{Operation, Workload},
};

pub(super) struct OpenLoop {
    start: Instant,
    schedule: Schedule,
    rate: watch::Receiver<f64>,
    room: Arc<Semaphore>,
}

impl OpenLoop {
    pub(super) fn new(
        plan: &Plan,
        arrivals: Arrivals,
        mut rate: watch::Receiver<f64>,
        max_in_flight: usize,
    ) -> Self {
        let schedule = Schedule::new(arrivals, *rate.borrow_and_update(), plan.seed);
        Self { start: Instant::now(), schedule, rate, room: Arc::new(Semaphore::new(max_in_flight)) }
    }

    pub(super) async fn run<T: Target>(
        mut self,
        caller: &Caller<T>,
        mut workload: Workload,
        end: Option<Instant>,
        stop: &CancellationToken,
    ) {
        let mut rate_can_change = true;
        loop {
            let due = self.schedule.next_due().and_then(|offset| self.start.checked_add(offset));
            // A request due after the end is not part of the run; one due before it is sent even if it is late.
            let next = due.filter(|due| end.is_none_or(|end| *due < end));
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                changed = self.rate.changed(), if rate_can_change => {
                    rate_can_change = changed.is_ok();
                    let rate = *self.rate.borrow_and_update();
                    self.schedule.set_rate(self.start.elapsed(), rate);
                }
                () = until(next), if next.is_some() => {
                    self.schedule.advance();
                    if let (Some(intended), Some(operation)) = (next, workload.next()) {
                        self.send(caller, operation, intended);
                    }
                }
                () = until(end), if next.is_none() => return,
            }
        }
    }

    fn send<T: Target>(&self, caller: &Caller<T>, operation: Operation, intended: Instant) {
        caller.recorder.late(intended.elapsed());
        let Ok(room) = Arc::clone(&self.room).try_acquire_owned() else {
            caller.recorder.dropped(intended);
            return;
        };
        let task = caller.clone();
        caller.in_flight.spawn(async move {
            task.call(operation, intended).await;
            drop(room);
        });
    }
}
