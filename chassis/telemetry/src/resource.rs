//! Resource use of this process: CPU, memory, disk, and how late the async runtime polls.
//!
//! Percentages are of what this process may use: the container's limits where there are any, else all cores of the
//! machine and the configured memory limit. (`process_*` comes from the `prometheus` crate's own collector.)

use std::{fs, path::PathBuf, time::Duration};

use prometheus::{Gauge, GaugeVec};
use rustix::time::{ClockId, clock_gettime};
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::{
    Chassis,
    metrics::{Histogram, Metrics},
};

/// How often CPU use is averaged: short enough that high load shows within a scrape or two.
const CPU_WINDOW: Duration = Duration::from_secs(1);
/// How often the runtime is asked to run a task on time.
const TICK: Duration = Duration::from_millis(100);
/// Bounds for the lateness of a tick; a worker blocked for 10 ms or more shows.
const DELAY_BUCKETS: &[f64] = &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5];

crate::metrics! {
    /// What is exported of the use of resources.
    struct ResourceMetrics {
        /// CPU time of this process as a percentage of what it may use, over the last second.
        cpu_usage_percent: Gauge,
        /// Resident memory of this process as a percentage of what it may use.
        memory_usage_percent: Gauge,
        /// Used share of the file system mounted here, as df counts it.
        disk_usage_percent: GaugeVec["mount_point"],
        /// What may still be written to the file system mounted here.
        disk_free_bytes: GaugeVec["mount_point"],
        /// How late a task that is due every 100 ms is run by the async runtime.
        runtime_poll_delay_seconds: Histogram(DELAY_BUCKETS),
    }
}

/// Registers the gauges and starts the tasks that keep them. `memory_limit`: where the container has none.
pub fn start(chassis: &Chassis, memory_limit: u64) {
    let ResourceMetrics {
        cpu_usage_percent,
        memory_usage_percent,
        disk_usage_percent,
        disk_free_bytes,
        runtime_poll_delay_seconds,
    } = ResourceMetrics::register(&chassis.metrics);
    memory(&chassis.metrics, memory_usage_percent, memory_limit);
    disk(&chassis.metrics, &disk_usage_percent, &disk_free_bytes);
    chassis.spawn(cpu(chassis.clone(), cpu_usage_percent));
    chassis.spawn(poll_delay(chassis.clone(), runtime_poll_delay_seconds));
}

fn memory(metrics: &Metrics, gauge: Gauge, configured: u64) {
    let limit = memory_limit(configured);
    metrics.on_scrape(move || {
        if let Some(bytes) = resident_bytes() {
            gauge.set(bytes as f64 * 100.0 / limit as f64);
        }
    });
}

fn disk(metrics: &Metrics, used: &GaugeVec, free: &GaugeVec) {
    let disks: Vec<_> = file_systems()
        .into_iter()
        .map(|at| (at, used.with_label_values(&[at]), free.with_label_values(&[at])))
        .collect();
    metrics.on_scrape(move || {
        for (at, used, free) in &disks {
            let Ok(stat) = rustix::fs::statvfs(*at) else { continue };
            let taken = stat.f_blocks.saturating_sub(stat.f_bfree);
            let usable = taken + stat.f_bavail;
            if usable > 0 {
                used.set(taken as f64 * 100.0 / usable as f64);
            }
            free.set(stat.f_bavail as f64 * stat.f_frsize as f64);
        }
    });
}

/// The root, and the working folder if it is on another file system.
fn file_systems() -> Vec<&'static str> {
    let device = |path| rustix::fs::stat(path).map(|stat| stat.st_dev).ok();
    if device(".") == device("/") { vec!["/"] } else { vec!["/", "."] }
}

async fn cpu(chassis: Chassis, gauge: Gauge) {
    let cores = cpu_limit();
    let (mut used, mut at) = (cpu_time(), Instant::now());
    let mut ticks = interval(CPU_WINDOW);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while chassis.shutdown.run_until_cancelled(ticks.tick()).await.is_some() {
        let elapsed = at.elapsed();
        if elapsed < CPU_WINDOW / 2 {
            continue;
        }
        let now = cpu_time();
        gauge.set((now.saturating_sub(used)).as_secs_f64() * 100.0 / (elapsed.as_secs_f64() * cores));
        (used, at) = (now, Instant::now());
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

/// CPU time that this process has used since it started.
fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// Resident set size in bytes, from `/proc/self/statm` (proc(5)); `None` without procfs.
fn resident_bytes() -> Option<u64> {
    let pages: u64 = fs::read_to_string("/proc/self/statm").ok()?.split(' ').nth(1)?.parse().ok()?;
    Some(pages * u64::try_from(rustix::param::page_size()).ok()?)
}

/// The container's memory limit (cgroup v2, then v1), else `configured`.
fn memory_limit(configured: u64) -> u64 {
    // An unlimited v1 group reports a huge number, an unlimited v2 group the word "max".
    let real = |bytes: &u64| *bytes > 0 && *bytes < 1 << 60;
    ["memory.max", "memory/memory.limit_in_bytes"]
        .iter()
        .find_map(|file| cgroup(file)?.parse().ok().filter(real))
        .unwrap_or(configured)
        .max(1)
}

/// Cores that this process may use: the cgroup's quota, else all that the scheduler allows.
fn cpu_limit() -> f64 {
    let v2 = || {
        let text = cgroup("cpu.max")?;
        let (quota, period) = text.split_once(' ')?;
        Some(quota.parse::<f64>().ok()? / period.parse::<f64>().ok()?)
    };
    let v1 = || {
        let quota = cgroup("cpu/cpu.cfs_quota_us")?.parse::<f64>().ok()?;
        Some(quota / cgroup("cpu/cpu.cfs_period_us")?.parse::<f64>().ok()?)
    };
    let all = || std::thread::available_parallelism().map_or(1.0, |n| n.get() as f64);
    v2().or_else(v1).filter(|cores| *cores > 0.0).unwrap_or_else(all)
}

fn cgroup(file: &str) -> Option<String> {
    let path = PathBuf::from("/sys/fs/cgroup").join(file);
    fs::read_to_string(path).ok().map(|text| text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_time_moves_only_while_the_process_works() {
        let before = cpu_time();
        let mut n = 0u64;
        while cpu_time() - before < Duration::from_millis(5) {
            n = n.wrapping_add(1);
        }
        assert!(n > 0);
    }

    #[test]
    fn resident_memory_follows_touched_pages() {
        let before = resident_bytes().expect("procfs");
        let block = vec![1u8; 32 << 20];
        let after = resident_bytes().expect("procfs");
        assert!(after >= before + (24 << 20), "{before} -> {after} with {} MiB touched", block.len() >> 20);
    }
}
