//! `crash-loop`: the process aborts some time after each start, as one that stumbles over its own state does.
//!
//! Plans are not kept across a start, so what is left of this one is written to a file before each crash: a checkpoint, as the
//! real cause would leave one. It is read once, expires with the plan, and is removed whenever the plan ends without a crash.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use serde_json::json;

use chassis_faults::{AnyFault as _, FaultPoint, Faults, Strike};
use chassis_telemetry::data::DataFolder;

use super::lease::{Lease, millis, now};
use crate::catalogue::{CRASH_LOOP, CrashLoop};

pub(super) async fn crash(
    folder: DataFolder,
    file: Option<PathBuf>,
    point: FaultPoint<CrashLoop>,
    strike: Strike<CrashLoop>,
) {
    let CrashLoop { after, times } = strike.params;
    let rest = Rest { crashes: times.saturating_sub(1), after, rate: point.level(), left: strike.left() };
    let checkpoint = file.and_then(|file| Checkpoint::write(&folder, file, &rest, now()));
    tokio::time::sleep(after).await;
    // At its end a plan has no strength: a late wake-up does not crash.
    if strike.sample() < point.level() {
        // Nothing is dropped: the checkpoint stays.
        std::process::abort();
    }
    drop(checkpoint);
    std::future::pending::<()>().await;
}

/// Sets what is left of a plan that the process has crashed by. Without `enabled`, only its file goes.
pub(super) fn resume(faults: &Faults, enabled: bool, file: Option<&Path>) {
    if !faults.declares(&CRASH_LOOP) {
        return;
    }
    let Some(query) = file.and_then(|file| take(file, now())) else { return };
    if enabled {
        // What its parser refuses is no plan of ours.
        let _ = faults.set(CRASH_LOOP.spec().name, &query);
    }
}

/// What is left of a plan.
#[derive(Debug, Clone, Copy)]
struct Rest {
    /// After the coming one.
    crashes: u64,
    after: Duration,
    rate: f64,
    /// Until the plan ends; `None` for a plan without an end.
    left: Option<Duration>,
}

/// The file of a plan that is on. Dropping it removes it.
#[derive(Debug)]
struct Checkpoint(PathBuf);

impl Checkpoint {
    /// Writes it; `None` if no crash would be left to read it, or if it cannot be written.
    fn write(folder: &DataFolder, file: PathBuf, rest: &Rest, now: Duration) -> Option<Self> {
        let until = now + rest.left?;
        if rest.crashes == 0 {
            return None;
        }
        folder.create().ok()?;
        let text = json!({
            "version": 1,
            "sequence": rest.crashes,
            "lease_until_ms": millis(until),
            "interval_ms": millis(rest.after),
            "share": rest.rate,
        });
        let checkpoint = Self(file);
        fs::write(&checkpoint.0, format!("{text}\n")).ok()?;
        Some(checkpoint)
    }
}

impl Drop for Checkpoint {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// The plan in the file, as a query ([`Lease::take`]).
fn take(file: &Path, now: Duration) -> Option<String> {
    let lease = Lease::take(file, now)?;
    let (times, after) = (lease.number("sequence")?, lease.number("interval_ms")?);
    Some(format!("times={times}&after={after}ms&rate={}&ttl={}ms", lease.rate, lease.ttl))
}

#[cfg(test)]
mod tests {
    use chassis_telemetry::data::DataConfig;

    use super::*;

    const NOW: Duration = Duration::from_secs(1_800_000_000);
    const REST: Rest =
        Rest { crashes: 3, after: Duration::from_secs(2), rate: 1.0, left: Some(Duration::from_secs(60)) };

    fn place() -> (tempfile::TempDir, DataFolder, PathBuf) {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("data");
        let folder = DataFolder::of(&DataConfig { data_dir: Some(path.clone()), data_limit: 1 }, "unit");
        (parent, folder, path.join("unit-1.checkpoint"))
    }

    /// As a crash does: the file stays.
    fn crashed(rest: &Rest) -> (tempfile::TempDir, PathBuf) {
        let (parent, folder, file) = place();
        std::mem::forget(Checkpoint::write(&folder, file.clone(), rest, NOW).unwrap());
        (parent, file)
    }

    #[test]
    fn the_next_process_goes_on_with_what_is_left_of_crashes_and_of_time() {
        let (_parent, file) = crashed(&REST);
        let query = take(&file, NOW + Duration::from_secs(10)).unwrap();
        assert_eq!(query, "times=3&after=2000ms&rate=1&ttl=50000ms");
        assert!(!file.exists(), "it is read once");
        let faults = Faults::new(crate::catalogue::ALL, &[], false);
        faults.set("crash-loop", &query).unwrap();
    }

    #[test]
    fn a_plan_that_is_over_does_not_come_back() {
        let (_parent, file) = crashed(&REST);
        assert_eq!(take(&file, NOW + Duration::from_secs(61)), None);
        assert!(!file.exists());
        assert_eq!(take(&file, NOW), None, "there is no file");
    }

    #[test]
    fn what_is_not_ours_is_removed_and_ignored() {
        let (_parent, folder, file) = place();
        folder.create().unwrap();
        for text in ["", "{", "{}", r#"{"sequence":3,"interval_ms":1,"lease_until_ms":"soon","share":1}"#] {
            fs::write(&file, text).unwrap();
            assert_eq!(take(&file, NOW), None, "{text}");
            assert!(!file.exists(), "{text}");
        }
    }

    #[test]
    fn the_last_crash_leaves_nothing_and_neither_does_a_plan_that_ends() {
        let (_parent, folder, file) = place();
        let last = Rest { crashes: 0, ..REST };
        assert!(Checkpoint::write(&folder, file.clone(), &last, NOW).is_none() && !file.exists());
        let checkpoint = Checkpoint::write(&folder, file.clone(), &REST, NOW).unwrap();
        assert!(file.exists());
        drop(checkpoint);
        assert!(!file.exists());
    }

    #[test]
    fn without_faults_the_loop_is_over() {
        let (_parent, folder, file) = place();
        let faults = Faults::new(crate::catalogue::ALL, &[], false);
        let rest = || std::mem::forget(Checkpoint::write(&folder, file.clone(), &REST, now()).unwrap());
        rest();
        resume(&faults, false, Some(&file));
        assert!(!file.exists() && !faults.point(&CRASH_LOOP).is_on());
        rest();
        resume(&faults, true, Some(&file));
        assert!(faults.point(&CRASH_LOOP).is_on());
        assert_eq!(faults.point(&CRASH_LOOP).active().unwrap().params.times, 3);
    }
}
