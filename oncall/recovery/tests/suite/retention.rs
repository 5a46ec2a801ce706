//! What is deleted, and what never is.

use chrono::TimeDelta;
use proptest::prelude::*;
use recovery::{Catalogue, Keep, Target, plan, surplus};

use crate::history::{at, backup, repository, wal};

fn keep(count: usize, seconds: i64) -> Keep {
    Keep { count, age: TimeDelta::seconds(seconds) }
}

/// The repository after the surplus was deleted.
fn pruned(catalogue: &Catalogue, keep: Keep, now: i64) -> Catalogue {
    let gone = surplus(catalogue, keep, at(now));
    let backups = catalogue.backups.iter().filter(|backup| !gone.backups.contains(&backup.manifest.id));
    let files = catalogue.wal.iter().filter(|file| !gone.wal.contains(&file.segment));
    Catalogue::new(backups.cloned().collect(), files.copied().collect())
}

#[test]
fn the_last_verified_backup_stays_however_old_it_is() {
    let backups =
        vec![backup(10, 1, 1, Some(true)), backup(20, 1, 2, Some(true)), backup(30, 1, 3, Some(false))];
    let backups = backups.into_iter().chain([backup(40, 1, 4, None), backup(50, 1, 5, None)]).collect();
    let files = (1..7).map(|number| wal(1, number, i64::try_from(number).unwrap() * 10, false)).collect();
    let gone = surplus(&Catalogue::new(backups, files), keep(1, 0), at(1_000_000));
    assert_eq!(gone.backups, ["b000010", "b000030", "b000040"]);
    let numbers: Vec<u64> = gone.wal.iter().map(|segment| segment.number).collect();
    assert_eq!(numbers, [1, 2], "all WAL after the verified one stays");
}

proptest! {
    #[test]
    fn pruning_never_takes_the_last_verified_backup_nor_what_it_can_restore(
        catalogue in repository(), count in 0..5_usize, age in 0..100_i64, now in 0..500_i64,
    ) {
        let after = pruned(&catalogue, keep(count, age), now);
        let Some(verified) = catalogue.last_verified() else { return Ok(()) };
        prop_assert_eq!(after.last_verified(), Some(verified));
        prop_assert_eq!(after.wal_after(&verified.manifest), catalogue.wal_after(&verified.manifest));
    }

    #[test]
    fn pruning_keeps_the_newest_and_the_young_and_the_latest_state(
        catalogue in repository(), count in 1..5_usize, age in 0..100_i64, now in 0..500_i64,
    ) {
        let after = pruned(&catalogue, keep(count, age), now);
        prop_assert!(after.backups.len() >= count.min(catalogue.backups.len()));
        let young = |backup: &&recovery::Backup| at(now) - backup.manifest.ended < TimeDelta::seconds(age);
        for backup in catalogue.backups.iter().filter(young) {
            prop_assert!(after.backups.contains(backup));
        }
        let (before, after) = (plan(&catalogue, Target::Latest), plan(&after, Target::Latest));
        prop_assert_eq!(before, after);
    }

    #[test]
    fn pruning_twice_deletes_nothing_more(catalogue in repository(), count in 0..5_usize, now in 0..500_i64) {
        let once = pruned(&catalogue, keep(count, 20), now);
        prop_assert_eq!(surplus(&once, keep(count, 20), at(now)), recovery::Surplus::default());
    }
}
