//! Faults of the process itself: each really takes the resource, for as long as its plan is on, and gives it back.
//!
//! One task a declared point. A fault is a future that holds what it took; ending the plan drops it.

use std::future::Future;

use super::{FaultPoint, Strike};
use crate::Chassis;

mod cardinality;
mod cpu;
mod crash;
mod descriptors;
mod executor;
mod logs;
mod memory;

/// Starts the tasks of those runtime faults that the service declares.
pub(super) fn start(chassis: &Chassis) {
    follow(chassis, "cpu-burn", cpu::burn);
    follow(chassis, "memory-leak", memory::leak);
    follow(chassis, "executor-block", executor::block);
    follow(chassis, "fd-leak", descriptors::leak);
    follow(chassis, "crash", crash::crash);
    follow(chassis, "log-flood", logs::flood);
    if let Some(point) = chassis.faults.find("cardinality-bomb") {
        let operations = cardinality::Operations::new(&chassis.metrics);
        run(chassis, point, move |point, strike| operations.clone().bomb(point, strike));
    }
}

fn follow<F>(chassis: &Chassis, name: &str, during: fn(FaultPoint, Strike) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    if let Some(point) = chassis.faults.find(name) {
        run(chassis, point, during);
    }
}

fn run<F>(chassis: &Chassis, point: FaultPoint, during: impl Fn(FaultPoint, Strike) -> F + Send + 'static)
where
    F: Future<Output = ()> + Send + 'static,
{
    let stop = chassis.shutdown.clone();
    chassis.spawn(async move {
        stop.run_until_cancelled_owned(each_plan(point, during)).await;
    });
}

/// Runs `during` while a plan of `point` is on, anew for each plan and for each period of a flapping one.
async fn each_plan<F>(point: FaultPoint, during: impl Fn(FaultPoint, Strike) -> F)
where
    F: Future<Output = ()>,
{
    loop {
        let strike = point.started().await;
        tokio::select! {
            () = during(point.clone(), strike.clone()) => {}
            () = point.ended(&strike) => {}
        }
    }
}

/// `level` of `full`, rounded.
#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn part(full: u64, level: f64) -> u64 {
    // Full strengths are counts and sizes far below 2^53.
    (full as f64 * level).round() as u64
}

#[cfg(test)]
mod tests;
