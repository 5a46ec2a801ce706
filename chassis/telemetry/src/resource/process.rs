//! CPU and memory of this process, as a share of what it may use: the container's limits, else all cores that the scheduler
//! allows and the configured memory limit.

use std::{
    fs,
    time::{Duration, Instant},
};

use rustix::time::{ClockId, clock_gettime};

use super::{CpuTime, cgroup::Cgroup};

/// What this process may use.
#[derive(Debug, Clone, Copy)]
pub(super) struct Process {
    cores: f64,
    memory: u64,
    since: Instant,
}

impl Process {
    /// In a container with this group; `memory_limit` is used if the group has none.
    pub(super) fn new(cgroup: &Cgroup, memory_limit: u64) -> Self {
        let all = || std::thread::available_parallelism().map_or(1.0, |n| n.get() as f64);
        Self {
            cores: cgroup.cores().unwrap_or_else(all),
            memory: cgroup.memory_limit().unwrap_or(memory_limit).max(1),
            since: Instant::now(),
        }
    }

    /// CPU time of this process.
    pub(super) fn cpu(&self) -> CpuTime {
        CpuTime { used: cpu_time().as_secs_f64(), whole: self.since.elapsed().as_secs_f64() * self.cores }
    }

    /// Resident memory as a percentage of what it may use; `None` without procfs.
    pub(super) fn memory_percent(&self) -> Option<f64> {
        Some(resident_bytes()? as f64 * 100.0 / self.memory as f64)
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
        let block = vec![1u8; 128 << 20];
        let after = resident_bytes().expect("procfs");
        // The kernel counts in batches for each core, and meanwhile other tests of this process free what they had.
        assert!(after >= before + (64 << 20), "{before} -> {after} with {} MiB touched", block.len() >> 20);
    }
}
