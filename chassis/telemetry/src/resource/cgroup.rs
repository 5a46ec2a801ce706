//! The control group of this container: its limits, and what all of its processes use together (cgroups(7), version 2, then
//! version 1). Outside a container this is the root group, which has no limits.

use std::{fs, path::PathBuf};

/// One control group, by its folder. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Cgroup(PathBuf);

impl Cgroup {
    /// The group that this process sees as the root.
    pub(super) fn here() -> Self {
        Self(PathBuf::from("/sys/fs/cgroup"))
    }

    /// Cores that the group may use; `None` without a quota.
    pub(super) fn cores(&self) -> Option<f64> {
        let v2 = || {
            let text = self.read("cpu.max")?;
            let (quota, period) = text.split_once(' ')?;
            Some(quota.parse::<f64>().ok()? / period.parse::<f64>().ok()?)
        };
        let v1 = || {
            let quota = self.read("cpu/cpu.cfs_quota_us")?.parse::<f64>().ok()?;
            Some(quota / self.read("cpu/cpu.cfs_period_us")?.parse::<f64>().ok()?)
        };
        // No quota is the word "max" in version 2, and -1 in version 1.
        v2().or_else(v1).filter(|cores| *cores > 0.0)
    }

    /// CPU time that the group has used, in seconds.
    pub(super) fn cpu_seconds(&self) -> Option<f64> {
        let v2 = || Some(self.stat("cpu.stat", "usage_usec")? as f64 / 1e6);
        let v1 = || Some(self.read("cpuacct/cpuacct.usage")?.parse::<f64>().ok()? / 1e9);
        v2().or_else(v1)
    }

    /// Bytes that the group may use; `None` without a limit.
    pub(super) fn memory_limit(&self) -> Option<u64> {
        // An unlimited v1 group reports a huge number, an unlimited v2 group the word "max".
        let real = |bytes: &u64| *bytes > 0 && *bytes < 1 << 60;
        ["memory.max", "memory/memory.limit_in_bytes"]
            .iter()
            .find_map(|file| self.read(file)?.parse().ok().filter(real))
    }

    /// Bytes that the group uses, without those that the kernel can drop at once: the working set, as a kubelet counts it.
    pub(super) fn memory_in_use(&self) -> Option<u64> {
        let sizes = ["memory.current", "memory/memory.usage_in_bytes"];
        let size: u64 = sizes.iter().find_map(|file| self.read(file)?.parse().ok())?;
        let idle = self
            .stat("memory.stat", "inactive_file")
            .or_else(|| self.stat("memory/memory.stat", "total_inactive_file"));
        Some(size.saturating_sub(idle.unwrap_or(0)))
    }

    fn read(&self, file: &str) -> Option<String> {
        fs::read_to_string(self.0.join(file)).ok().map(|text| text.trim().to_owned())
    }

    /// The number behind `key` in a file of lines `key number`.
    fn stat(&self, file: &str, key: &str) -> Option<u64> {
        let text = self.read(file)?;
        text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(' ')?.parse().ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A group of these files.
    fn group(files: &[(&str, &str)]) -> (Cgroup, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        for (file, text) in files {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, format!("{text}\n")).unwrap();
        }
        (Cgroup(folder.path().to_path_buf()), folder)
    }

    fn facts(group: &Cgroup) -> (Option<f64>, Option<f64>, Option<u64>, Option<u64>) {
        (group.cores(), group.cpu_seconds(), group.memory_limit(), group.memory_in_use())
    }

    #[test]
    fn limits_and_use_are_read_in_both_versions() {
        let (two, _folder) = group(&[
            ("cpu.max", "150000 100000"),
            ("cpu.stat", "usage_usec 2500000\nuser_usec 1"),
            ("memory.max", "268435456"),
            ("memory.current", "1000"),
            ("memory.stat", "anon 7\ninactive_file_lru 5\ninactive_file 300"),
        ]);
        assert_eq!(facts(&two), (Some(1.5), Some(2.5), Some(256 << 20), Some(700)));
        let (one, _folder) = group(&[
            ("cpu/cpu.cfs_quota_us", "50000"),
            ("cpu/cpu.cfs_period_us", "100000"),
            ("cpuacct/cpuacct.usage", "500000000"),
            ("memory/memory.limit_in_bytes", "1048576"),
            ("memory/memory.usage_in_bytes", "1000"),
            ("memory/memory.stat", "inactive_file 1\ntotal_inactive_file 400"),
        ]);
        assert_eq!(facts(&one), (Some(0.5), Some(0.5), Some(1 << 20), Some(600)));
    }

    #[test]
    fn a_group_without_limits_has_none() {
        let (two, _folder) = group(&[("cpu.max", "max 100000"), ("memory.max", "max")]);
        assert_eq!((two.cores(), two.memory_limit()), (None, None));
        let (one, _folder) = group(&[
            ("cpu/cpu.cfs_quota_us", "-1"),
            ("cpu/cpu.cfs_period_us", "100000"),
            ("memory/memory.limit_in_bytes", "9223372036854771712"),
        ]);
        assert_eq!((one.cores(), one.memory_limit()), (None, None));
        assert_eq!(facts(&group(&[]).0), (None, None, None, None));
    }
}
