//! Resource use: of the machine or the container that this process runs in, and of this process alone; and how late the
//! async runtime polls.
//!
//! `cpu_usage_percent`, `memory_usage_percent` and `disk_usage_percent` are what the SRE exercises mean by these names: the
//! host. Where a container has a limit on CPU or memory, the limit is the host's, and so is what everything in the container
//! uses of it. All processes of a host report the same values: aggregate them with `max`, never with `sum`.
//!
//! `process_cpu_usage_percent` and `process_memory_usage_percent` are of this process, as a share of what it may use. (The
//! other `process_*` come from the `prometheus` crate's own collector.)

mod cgroup;
mod disk;
mod host;
mod process;

use std::{path::PathBuf, time::Duration};

use prometheus::{Gauge, GaugeVec};
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::{
    Chassis,
    metrics::{Histogram, Metrics},
};

use self::{cgroup::Cgroup, host::Host, process::Process};

/// How often CPU use is averaged: short enough that high load shows within a scrape or two.
const CPU_WINDOW: Duration = Duration::from_secs(1);
/// How often the runtime is asked to run a task on time.
const TICK: Duration = Duration::from_millis(100);
/// Bounds for the lateness of a tick; a worker blocked for 10 ms or more shows.
const DELAY_BUCKETS: &[f64] = &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5];

crate::metrics! {
    /// What is exported of the use of resources.
    struct ResourceMetrics {
        /// CPU in use over the last second, as a percentage: of the container if its CPU is limited, else of the machine.
        cpu_usage_percent: Gauge,
        /// Memory in use as a percentage: of the container's limit if it has one, else of the machine's memory.
        memory_usage_percent: Gauge,
        /// CPU time of this process as a percentage of what it may use, over the last second.
        process_cpu_usage_percent: Gauge,
        /// Resident memory of this process as a percentage of what it may use.
        process_memory_usage_percent: Gauge,
        /// Used share of the file system mounted here, as df counts it.
        disk_usage_percent: GaugeVec["mount_point"],
        /// What may still be written to the file system mounted here.
        disk_free_bytes: GaugeVec["mount_point"],
        /// How late a task that is due every 100 ms is run by the async runtime.
        runtime_poll_delay_seconds: Histogram(DELAY_BUCKETS),
    }
}

/// CPU time that was used, and that could have been used, since some moment: both only grow, in the same unit.
#[derive(Debug, Clone, Copy, PartialEq)]
struct CpuTime {
    used: f64,
    whole: f64,
}

impl CpuTime {
    /// What was used since `before`, as a percentage; `None` if no time has passed.
    fn percent_since(self, before: Self) -> Option<f64> {
        let whole = self.whole - before.whole;
        // The kernel's waiting time may go backwards (proc_stat(5)).
        (whole > 0.0).then(|| ((self.used - before.used) * 100.0 / whole).max(0.0))
    }
}

/// Registers the gauges and starts the tasks that keep them. `memory_limit`: of this process, where the container has none.
/// `folders`: whose file systems are watched, in addition to the root and the working folder.
pub fn start(chassis: &Chassis, memory_limit: u64, folders: &[PathBuf]) {
    let ResourceMetrics {
        cpu_usage_percent,
        memory_usage_percent,
        process_cpu_usage_percent,
        process_memory_usage_percent,
        disk_usage_percent,
        disk_free_bytes,
        runtime_poll_delay_seconds,
    } = ResourceMetrics::register(&chassis.metrics);
    let (host, process) = (Host::new(Cgroup::here()), Process::new(&Cgroup::here(), memory_limit));
    memory(&chassis.metrics, host.clone(), memory_usage_percent, process, process_memory_usage_percent);
    disk(&chassis.metrics, folders, &disk_usage_percent, &disk_free_bytes);
    chassis.spawn(cpu(chassis.clone(), host, cpu_usage_percent, process, process_cpu_usage_percent));
    chassis.spawn(poll_delay(chassis.clone(), runtime_poll_delay_seconds));
}

fn memory(metrics: &Metrics, host: Host, of_host: Gauge, process: Process, of_process: Gauge) {
    metrics.on_scrape(move || {
        for (gauge, percent) in [(&of_host, host.memory_percent()), (&of_process, process.memory_percent())] {
            if let Some(percent) = percent {
                gauge.set(percent);
            }
        }
    });
}

fn disk(metrics: &Metrics, folders: &[PathBuf], used: &GaugeVec, free: &GaugeVec) {
    let disks: Vec<_> = disk::mount_points(folders)
        .into_iter()
        .map(|at| {
            let label = at.to_string_lossy().into_owned();
            let (used, free) = (used.with_label_values(&[&label]), free.with_label_values(&[&label]));
            (at, used, free)
        })
        .collect();
    metrics.on_scrape(move || {
        for (at, used, free) in &disks {
            let Some(room) = disk::room(at) else { continue };
            used.set(room.used_percent);
            free.set(room.free_bytes);
        }
    });
}

async fn cpu(chassis: Chassis, host: Host, of_host: Gauge, process: Process, of_process: Gauge) {
    let read = || [host.cpu(), Some(process.cpu())];
    let (mut before, mut at) = (read(), Instant::now());
    let mut ticks = interval(CPU_WINDOW);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while chassis.shutdown.run_until_cancelled(ticks.tick()).await.is_some() {
        if at.elapsed() < CPU_WINDOW / 2 {
            continue;
        }
        let now = read();
        for ((gauge, now), before) in [&of_host, &of_process].into_iter().zip(now).zip(before) {
            let percent = now.zip(before).and_then(|(now, before)| now.percent_since(before));
            if let Some(percent) = percent {
                gauge.set(percent);
            }
        }
        (before, at) = (now, Instant::now());
    }
}

async fn poll_delay(chassis: Chassis, delay: Histogram) {
    loop {
        let due = Instant::now() + TICK;
        if chassis.shutdown.run_until_cancelled(tokio::time::sleep_until(due)).await.is_none() {
            return;
        }
        delay.observe(due.elapsed().as_secs_f64());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_percentage_is_of_the_time_in_between() {
        let at = |used, whole| CpuTime { used, whole };
        assert_eq!(at(30.0, 300.0).percent_since(at(10.0, 200.0)), Some(20.0));
        assert_eq!(at(9.0, 300.0).percent_since(at(10.0, 200.0)), Some(0.0));
        assert_eq!(at(10.0, 200.0).percent_since(at(10.0, 200.0)), None);
    }
}
