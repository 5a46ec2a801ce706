//! `memory-leak` with `at_limit=killed`: the process says how much memory it may use, and what runs it kills it above that. A
//! release that leaks does the same again after each start, so what is left of the plan is in a file, as for `crash-loop`.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use serde_json::json;

use chassis_faults::{AnyFault as _, FaultPoint, Faults, Strike, part};
use chassis_telemetry::data::DataFolder;

use super::{
    lease::{Lease, millis, now},
    memory,
};
use crate::catalogue::{AtLimit, MEMORY_LEAK, MemoryLeak};

/// The file that limits the memory of the process, in bytes: `supervisor::Part::memory_max`. Named as that of a control group.
const MAX: &str = "memory.max";
/// How the name of the file ends with what is left of the plan.
const LEFT: &str = "recent.checkpoint";

pub(super) async fn leak(
    folder: DataFolder,
    checkpoint: Option<PathBuf>,
    point: FaultPoint<MemoryLeak>,
    strike: Strike<MemoryLeak>,
) {
    let MemoryLeak { limit, step, at_limit } = strike.params;
    let rest = Rest { limit, step, rate: point.level(), left: strike.left() };
    let killed = at_limit == AtLimit::Killed;
    // Dropped when the plan ends: then nothing limits the process any more. A kill drops nothing.
    let _files = if killed { Files::write(&folder, checkpoint.as_deref(), &rest, now()) } else { None };
    memory::leak(point, strike).await;
}

/// Sets what is left of a plan for which the process was killed, and removes its limit. Without `enabled`, only the files go.
pub(super) fn resume(faults: &Faults, enabled: bool, folder: &DataFolder, checkpoint: Option<&Path>) {
    if !faults.declares(&MEMORY_LEAK) {
        return;
    }
    let Some(file) = checkpoint.map(left) else { return };
    // One that is still there after the end of its plan would kill the process for something else.
    let _ = fs::remove_file(folder.path().join(MAX));
    let Some(query) = take(&file, now()) else { return };
    if enabled {
        // What its parser refuses is no plan of ours.
        let _ = faults.set(MEMORY_LEAK.spec().name, &query);
    }
}

fn left(checkpoint: &Path) -> PathBuf {
    checkpoint.with_extension(LEFT)
}

/// What is left of a plan.
#[derive(Debug, Clone, Copy)]
struct Rest {
    /// In bytes.
    limit: u64,
    /// In bytes.
    step: u64,
    rate: f64,
    /// Until the plan ends; `None` for a plan without an end.
    left: Option<Duration>,
}

/// The files of a plan that is on. Dropping them removes them.
#[derive(Debug)]
struct Files(Vec<PathBuf>);

impl Files {
    /// Writes them. `None` if the limit cannot be written: then the leak ends at its limit.
    fn write(folder: &DataFolder, checkpoint: Option<&Path>, rest: &Rest, now: Duration) -> Option<Self> {
        folder.create().ok()?;
        let mut files = Self(vec![folder.path().join(MAX)]);
        fs::write(files.0.first()?, format!("{}\n", part(rest.limit, rest.rate))).ok()?;
        if let (Some(checkpoint), Some(ttl)) = (checkpoint, rest.left) {
            let text = json!({
                "version": 1,
                "lease_until_ms": millis(now + ttl),
                "bytes_max": rest.limit,
                "bytes_step": rest.step,
                "share": rest.rate,
            });
            let file = left(checkpoint);
            files.0.push(file.clone());
            fs::write(file, format!("{text}\n")).ok()?;
        }
        Some(files)
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        for file in &self.0 {
            let _ = fs::remove_file(file);
        }
    }
}

/// The plan in the file, as a query ([`Lease::take`]).
fn take(file: &Path, now: Duration) -> Option<String> {
    let lease = Lease::take(file, now)?;
    let (limit, step) = (lease.number("bytes_max")?, lease.number("bytes_step")?);
    let Lease { rate, ttl, .. } = lease;
    Some(format!("limit={limit}&step={step}&rate={rate}&at_limit=killed&ttl={ttl}ms"))
}

#[cfg(test)]
mod tests {
    use chassis_telemetry::data::DataConfig;

    use super::*;

    const NOW: Duration = Duration::from_secs(1_800_000_000);
    const REST: Rest = Rest { limit: 1 << 28, step: 1 << 20, rate: 0.5, left: Some(Duration::from_secs(60)) };

    fn place() -> (tempfile::TempDir, DataFolder, PathBuf) {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("data");
        let folder = DataFolder::of(&DataConfig { data_dir: Some(path.clone()), data_limit: 1 }, "unit");
        (parent, folder, path.join("unit-1.checkpoint"))
    }

    #[test]
    fn the_limit_is_the_plans_share_and_the_next_process_goes_on_with_what_is_left_of_its_time() {
        let (_parent, folder, checkpoint) = place();
        // As a kill does: the files stay.
        std::mem::forget(Files::write(&folder, Some(&checkpoint), &REST, NOW).unwrap());
        let max = fs::read_to_string(folder.path().join("memory.max")).unwrap();
        assert_eq!(max.trim().parse(), Ok(1_u64 << 27));
        let file = folder.path().join("unit-1.recent.checkpoint");
        let query = take(&file, NOW + Duration::from_secs(10)).unwrap();
        assert_eq!(query, "limit=268435456&step=1048576&rate=0.5&at_limit=killed&ttl=50000ms");
        assert!(!file.exists(), "it is read once");
        assert_eq!(take(&file, NOW), None);
    }

    #[test]
    fn a_process_that_starts_after_a_kill_leaks_again_and_without_faults_it_has_no_limit() {
        let (_parent, folder, checkpoint) = place();
        let faults = Faults::new(crate::catalogue::ALL, &[], false);
        let killed = || std::mem::forget(Files::write(&folder, Some(&checkpoint), &REST, now()).unwrap());
        let files = || fs::read_dir(folder.path()).unwrap().count();
        killed();
        assert_eq!(files(), 2);
        resume(&faults, false, &folder, Some(&checkpoint));
        assert!(files() == 0 && !faults.point(&MEMORY_LEAK).is_on());
        killed();
        resume(&faults, true, &folder, Some(&checkpoint));
        assert_eq!(files(), 0, "the plan writes them again");
        let plan = faults.point(&MEMORY_LEAK).active().unwrap();
        assert_eq!((plan.params.limit, plan.params.at_limit), (REST.limit, AtLimit::Killed));
    }

    #[test]
    fn a_plan_that_ends_leaves_nothing() {
        let (_parent, folder, checkpoint) = place();
        let files = Files::write(&folder, Some(&checkpoint), &REST, NOW).unwrap();
        drop(files);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
