//! Pressure on a process by a control group (cgroup v2): less CPU than it needs, less memory than it has. The limit on
//! memory is a soft one: the kernel reclaims and slows down, and kills nobody.

use std::{
    fs,
    path::{Path, PathBuf},
};

use supervisor::process::ProcId;

/// Where control groups are.
pub(super) const ROOT: &str = "/sys/fs/cgroup";
/// How the names of our groups begin; the pid of the part that made the group follows, and that of the process in it.
const PREFIX: &str = "sre-lab-chaos-";
/// The length of a period of the CPU's bandwidth, in microseconds; the kernel's own default.
const PERIOD: u64 = 100_000;
/// The shortest share of a period that the kernel accepts.
const LEAST: u64 = 1_000;
/// The file with the processes of a group.
const MEMBERS: &str = "cgroup.procs";
/// What to do where this is not possible.
const NEXT: &str = "run the lab as root where /sys/fs/cgroup is writable, or the experiment with --context";

/// A process in a group of its own.
#[derive(Debug)]
pub(super) struct Squeezed {
    group: PathBuf,
    /// The group where it was.
    before: PathBuf,
}

/// Puts a process into a new group with these limits: cores of CPU, bytes of memory.
///
/// # Errors
/// A sentence; the process then is where it was.
pub(super) fn squeeze(
    root: &Path,
    process: ProcId,
    cpu: Option<f64>,
    memory: Option<u64>,
) -> Result<Squeezed, String> {
    let controllers = fs::read_to_string(root.join("cgroup.controllers"))
        .map_err(|_| format!("there is no cgroup v2 at {}: {NEXT}", root.display()))?;
    let wanted = [("cpu", cpu.is_some()), ("memory", memory.is_some())];
    let wanted = || wanted.iter().filter(|(_, wanted)| *wanted).map(|(name, _)| *name);
    if let Some(missing) = wanted().find(|name| !controllers.split_whitespace().any(|known| known == *name)) {
        return Err(format!("the controller `{missing}` is not available at {}: {NEXT}", root.display()));
    }
    if !process.alive() {
        return Err(format!("process {} has ended", process.pid));
    }
    let before = root.join(group_of(process.pid)?);
    let group = root.join(format!("{PREFIX}{}-{}", std::process::id(), process.pid));
    fs::create_dir(&group).map_err(|error| format!("cannot create {}: {error}; {NEXT}", group.display()))?;
    let squeezed = Squeezed { group, before };
    let enabled: String = wanted().map(|name| format!("+{name} ")).collect();
    let limits = || {
        write(&root.join("cgroup.subtree_control"), enabled.trim_end())?;
        if let Some(cores) = cpu {
            let share = (cores * PERIOD as f64).round().max(LEAST as f64);
            write(&squeezed.group.join("cpu.max"), &format!("{share:.0} {PERIOD}"))?;
        }
        if let Some(bytes) = memory {
            write(&squeezed.group.join("memory.high"), &bytes.to_string())?;
        }
        write(&squeezed.group.join(MEMBERS), &process.pid.to_string())
    };
    match limits() {
        Ok(()) => Ok(squeezed),
        Err(error) => {
            let _ = squeezed.release();
            Err(format!("{error}; {NEXT}"))
        }
    }
}

impl Squeezed {
    /// Puts the process back, and those that it has started meanwhile: they are in its group, too. To the root, if the
    /// group from before is gone.
    ///
    /// # Errors
    /// When one stays in its group.
    pub(super) fn release(&self) -> Result<(), String> {
        let members = fs::read_to_string(self.group.join(MEMBERS)).unwrap_or_default();
        for pid in members.split_whitespace() {
            let back = write(&self.before.join(MEMBERS), pid);
            let back = back.or_else(|_| write(&self.group.with_file_name(MEMBERS), pid));
            // One that has ended needs no place.
            if back.is_err() && pid.parse().ok().and_then(ProcId::of).is_some() {
                return back;
            }
        }
        fs::remove_dir(&self.group)
            .map_err(|error| format!("cannot remove {}: {error}", self.group.display()))
    }
}

/// Removes groups that a part which was killed has left: their processes go to the root.
pub(super) fn sweep(root: &Path) {
    let entries = fs::read_dir(root).into_iter().flatten().flatten();
    for group in entries.filter(|entry| left(&entry.file_name().to_string_lossy())) {
        let members = fs::read_to_string(group.path().join(MEMBERS)).unwrap_or_default();
        for pid in members.split_whitespace() {
            let _ = write(&root.join(MEMBERS), pid);
        }
        let _ = fs::remove_dir(group.path());
    }
}

/// Whether a group is ours, and who made it is gone: the groups of another lab on this machine stay.
fn left(name: &str) -> bool {
    let maker = name.strip_prefix(PREFIX).and_then(|rest| rest.split_once('-')?.0.parse().ok());
    maker.is_some_and(|pid| ProcId::of(pid).is_none())
}

/// The group of a process, below the root: the line `0::/path` of `/proc/PID/cgroup`.
fn group_of(pid: u32) -> Result<String, String> {
    let path = format!("/proc/{pid}/cgroup");
    let text = fs::read_to_string(&path).map_err(|error| format!("cannot read {path}: {error}"))?;
    let own = text.lines().find_map(|line| line.strip_prefix("0::/"));
    own.map(str::to_owned).ok_or_else(|| format!("process {pid} is in no group of cgroup v2: {NEXT}"))
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|error| format!("cannot write `{text}` to {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_there_are_no_groups_or_not_the_right_ones_it_is_refused_with_what_to_do() {
        let root = tempfile::tempdir().unwrap();
        let squeeze = |cpu, memory| squeeze(root.path(), ProcId::myself(), cpu, memory).map(|_| ());
        let refused = squeeze(Some(0.1), None).unwrap_err();
        assert!(refused.contains("no cgroup v2") && refused.contains("--context"), "{refused}");
        fs::write(root.path().join("cgroup.controllers"), "cpu pids\n").unwrap();
        let refused = squeeze(Some(0.1), Some(1 << 20)).unwrap_err();
        assert!(refused.contains("`memory` is not available"), "{refused}");
    }

    #[test]
    fn only_groups_of_a_part_that_is_gone_are_swept() {
        assert!(left(&format!("{PREFIX}4294967294-17")));
        for other in
            [format!("{PREFIX}{}-17", std::process::id()), "user.slice".to_owned(), PREFIX.to_owned()]
        {
            assert!(!left(&other), "{other}");
        }
    }

    /// What the kernel does with the files is not tried here: few machines let a test write them.
    #[test]
    #[cfg(target_os = "linux")]
    fn a_process_gets_a_group_with_its_limits() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("cgroup.controllers"), "cpu memory\n").unwrap();
        let me = ProcId::myself();
        if group_of(me.pid).is_err() {
            return;
        }
        let squeezed = squeeze(root.path(), me, Some(0.25), Some(1 << 26)).unwrap();
        let read = |name: &str| fs::read_to_string(squeezed.group.join(name)).unwrap();
        assert_eq!((read("cpu.max").as_str(), read("memory.high").as_str()), ("25000 100000", "67108864"));
        assert_eq!(read(MEMBERS), me.pid.to_string());
        assert_eq!(fs::read_to_string(root.path().join("cgroup.subtree_control")).unwrap(), "+cpu +memory");

        // It has started another one. These are no groups of the kernel: a folder with files cannot be removed.
        let squeezed = Squeezed { before: root.path().join("before"), ..squeezed };
        fs::write(squeezed.group.join(MEMBERS), format!("{}\n17\n", me.pid)).unwrap();
        assert!(squeezed.release().unwrap_err().starts_with("cannot remove"));
        assert_eq!(fs::read_to_string(root.path().join(MEMBERS)).unwrap(), "17", "the group before is gone");
        fs::create_dir(&squeezed.before).unwrap();
        assert!(squeezed.release().is_err());
        assert_eq!(fs::read_to_string(squeezed.before.join(MEMBERS)).unwrap(), "17");
    }
}
