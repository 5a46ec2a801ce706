//! CPU and memory of the host: the container, where it is limited, else the machine. Without `/proc`, nothing is known.

use std::{fs, time::Instant};

use super::{CpuTime, cgroup::Cgroup};

/// The host. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Host {
    cgroup: Cgroup,
    since: Instant,
}

impl Host {
    /// A container with this group, if it has limits.
    pub(super) fn new(cgroup: Cgroup) -> Self {
        Self { cgroup, since: Instant::now() }
    }

    /// CPU time of everything that runs here.
    pub(super) fn cpu(&self) -> Option<CpuTime> {
        match self.cgroup.cores().zip(self.cgroup.cpu_seconds()) {
            Some((cores, used)) => Some(CpuTime { used, whole: self.since.elapsed().as_secs_f64() * cores }),
            None => of_machine(&fs::read_to_string("/proc/stat").ok()?),
        }
    }

    /// Memory in use, as a percentage.
    pub(super) fn memory_percent(&self) -> Option<f64> {
        let (available, total) = machine_memory(&fs::read_to_string("/proc/meminfo").ok()?)?;
        let limit = self.cgroup.memory_limit().filter(|limit| *limit < total);
        let in_container = self.cgroup.memory_in_use().zip(limit);
        let (used, whole) = in_container.unwrap_or((total.saturating_sub(available), total));
        Some(used as f64 * 100.0 / whole as f64)
    }
}

/// The line `cpu` of proc_stat(5). The fourth number is idle and the fifth waits for a disk: neither is use. The numbers behind
/// the eighth are time of guests, which the first two contain.
fn of_machine(stat: &str) -> Option<CpuTime> {
    let line = stat.lines().next()?.strip_prefix("cpu ")?;
    let ticks: Vec<f64> = line.split_whitespace().take(8).map_while(|word| word.parse().ok()).collect();
    let whole: f64 = ticks.iter().sum();
    let idle: f64 = ticks.get(3..ticks.len().min(5))?.iter().sum();
    Some(CpuTime { used: whole - idle, whole })
}

/// Bytes that programs can still get without swapping, and all: proc_meminfo(5).
fn machine_memory(meminfo: &str) -> Option<(u64, u64)> {
    let kib = |name: &str| {
        let rest = meminfo.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        rest.split_whitespace().next()?.parse::<u64>().ok()
    };
    let total = kib("MemTotal").filter(|total| *total > 0)?;
    Some((kib("MemAvailable")? << 10, total << 10))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn idle_and_waiting_for_a_disk_are_not_use_and_guests_count_once() {
        let cpu = of_machine("cpu  10 20 30 400 40 5 6 7 3 2\ncpu0 1 1 1 1\nintr 1 2 3\n");
        assert_eq!(cpu, Some(CpuTime { used: 78.0, whole: 518.0 }));
        assert_eq!(of_machine("cpu0 1 2 3 4\n"), None);
        assert_eq!(of_machine(""), None);
    }

    #[test]
    fn what_can_be_had_without_swapping_is_not_in_use() {
        let text = "MemTotal:       1000 kB\nMemFree:  10 kB\nMemAvailable:    250 kB\n";
        assert_eq!(machine_memory(text), Some((250 << 10, 1000 << 10)));
        assert_eq!(machine_memory("MemTotal: 1000 kB\n"), None);
    }

    #[test]
    fn a_busy_host_shows_at_least_the_work_of_this_process() {
        let host = Host::new(Cgroup::here());
        let before = host.cpu().expect("procfs");
        let start = Instant::now();
        let mut n = 0_u64;
        // The kernel counts in ticks of 10 ms.
        while start.elapsed() < Duration::from_millis(200) {
            n = n.wrapping_add(1);
        }
        let percent = host.cpu().expect("procfs").percent_since(before).expect("time has passed");
        assert!(percent > 0.0, "{percent} % after {n} rounds");
        let memory = host.memory_percent().expect("procfs");
        assert!(memory > 0.0 && memory <= 100.0, "{memory} %");
    }
}
