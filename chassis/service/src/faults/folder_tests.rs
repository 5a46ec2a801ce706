//! The faults of the data folder, checked with the files that are in it.

use std::{fs, path::Path};

use chassis_telemetry::data::{DataConfig, DataFolder};
use tempfile::TempDir;

use super::{
    crash_loop, disk, memory_loop,
    tests::{Running, until},
};
use crate::catalogue::*;

fn folder() -> (TempDir, DataFolder) {
    let parent = tempfile::tempdir().unwrap();
    let config = DataConfig { data_dir: Some(parent.path().join("data")), data_limit: 1 << 30 };
    let folder = DataFolder::of(&config, "unit");
    (parent, folder)
}

/// Names and sizes of the files in a folder.
fn files(folder: &Path) -> Vec<(String, u64)> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    // A file may go while it is looked at.
    let file = |entry: fs::DirEntry| {
        Some((entry.file_name().to_string_lossy().into_owned(), entry.metadata().ok()?.len()))
    };
    entries.filter_map(file).collect()
}

fn filling(folder: &DataFolder) -> Running {
    let folder = folder.clone();
    Running::start(&DISK_FILL, move |point, strike| disk::fill(folder.clone(), point, strike))
}

const MIB: u64 = 1 << 20;

#[tokio::test]
async fn disk_fill_grows_one_file_to_its_size_and_removes_it() {
    let (_parent, folder) = folder();
    let fault = filling(&folder);
    let now = || files(folder.path());
    assert_eq!(now(), []);
    fault.put("size=3MiB&step=1MiB&keep=64MiB");
    until(|| format!("{:?}", now()), || now().iter().any(|(_, size)| *size == 3 * MIB)).await;
    assert_eq!(now().len(), 1);
    assert!(now()[0].0.starts_with("spool-"), "{:?}", now());
    assert_eq!(folder.used(), 3 * MIB);
    fault.delete();
    until(|| format!("{:?}", now()), || now().is_empty()).await;
}

#[tokio::test]
async fn disk_fill_follows_its_rate_and_ends_by_itself() {
    let (_parent, folder) = folder();
    let fault = filling(&folder);
    let now = || files(folder.path());
    fault.put("size=4MiB&step=4MiB&keep=64MiB&rate=0.5&ttl=4s");
    until(|| format!("{:?}", now()), || now().iter().any(|(_, size)| *size == 2 * MIB)).await;
    until(|| format!("{:?}", now()), || now().is_empty()).await;
}

#[tokio::test]
async fn disk_fill_leaves_to_others_what_it_has_to_keep() {
    let (_parent, folder) = folder();
    // More than there is: not a byte may be written.
    let keep = folder.available() / MIB + 1024;
    if keep > 1 << 20 {
        eprintln!("SKIPPED: disk_fill_leaves_to_others_what_it_has_to_keep (more than a TiB is free)");
        return;
    }
    let fault = filling(&folder);
    let now = || files(folder.path());
    fault.put(&format!("size=64MiB&step=64MiB&keep={keep}MiB"));
    until(|| format!("{:?}", now()), || now().len() == 1).await;
    // Ten of its steps: absence is the subject.
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    assert_eq!(now()[0].1, 0, "{:?}", now());
}

#[tokio::test]
async fn disk_fill_does_not_come_back_after_somebody_has_removed_its_file() {
    let (_parent, folder) = folder();
    let fault = filling(&folder);
    let now = || files(folder.path());
    fault.put("size=1MiB&keep=64MiB");
    until(|| format!("{:?}", now()), || now().iter().any(|(_, size)| *size == MIB)).await;
    fs::remove_file(folder.path().join(&now()[0].0)).unwrap();
    // Ten of its steps: absence is the subject.
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    assert_eq!(now(), []);
    fault.put("size=1MiB&keep=64MiB");
    until(|| format!("{:?}", now()), || now().len() == 1).await;
}

#[tokio::test]
async fn what_a_killed_process_left_is_removed_and_nothing_else() {
    let (_parent, folder) = folder();
    folder.create().unwrap();
    let path = folder.path();
    fs::write(path.join("spool-1.tmp"), "left behind").unwrap();
    fs::write(path.join("spool-1.txt"), "somebody's").unwrap();
    let fault = filling(&folder);
    fault.put("size=1MiB&keep=64MiB");
    let names = || files(path).into_iter().map(|(name, _)| name).collect::<Vec<_>>();
    until(|| format!("{:?}", names()), || names().len() == 3).await;
    disk::tidy(path);
    let left = names();
    assert!(
        !left.contains(&"spool-1.tmp".to_owned()) && left.contains(&"spool-1.txt".to_owned()),
        "{left:?}"
    );
    assert_eq!(left.len(), 2, "the file in use stays: {left:?}");
}

#[tokio::test]
async fn a_loop_of_crashes_that_is_withdrawn_in_time_crashes_nothing_and_leaves_nothing() {
    let (_parent, folder) = folder();
    let file = folder.path().join("unit-1.checkpoint");
    let (own, path) = (folder.clone(), file.clone());
    let fault = Running::start(&CRASH_LOOP, move |point, strike| {
        crash_loop::crash(own.clone(), Some(path.clone()), point, strike)
    });
    fault.put("after=1m");
    until(|| "no checkpoint".to_owned(), || file.exists()).await;
    fault.delete();
    until(|| "the checkpoint is left".to_owned(), || !file.exists()).await;
    fault.put("after=1m&ttl=1s");
    until(|| "no checkpoint".to_owned(), || file.exists()).await;
    until(|| "the checkpoint outlives its plan".to_owned(), || !file.exists()).await;
}

#[tokio::test]
async fn a_leak_limits_its_process_only_if_it_is_to_be_killed_and_only_while_it_is_on() {
    let (_parent, folder) = folder();
    let (own, path) = (folder.clone(), folder.path().join("unit-1.checkpoint"));
    let fault = Running::start(&MEMORY_LEAK, move |point, strike| {
        memory_loop::leak(own.clone(), Some(path.clone()), point, strike)
    });
    let now = || files(folder.path());
    fault.put("limit=8MiB&at_limit=killed");
    until(|| format!("{:?}", now()), || now().len() == 2).await;
    let max = fs::read_to_string(folder.path().join("memory.max")).unwrap();
    assert_eq!(max.trim(), (8 * MIB).to_string());
    fault.delete();
    until(|| format!("{:?}", now()), || now().is_empty()).await;
    fault.put("limit=8MiB");
    // Ten of its steps: absence is the subject.
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    assert_eq!(now(), []);
}
