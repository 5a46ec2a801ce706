//! Which base and WAL restore a moment: examples of each refusal, and what holds for any repository.

use proptest::prelude::*;
use recovery::{Backup, Catalogue, Refusal, Target, WalFile, plan, uncovered};

use crate::history::{at, backup, repository, wal};

fn refusal(catalogue: &Catalogue, target: Target) -> String {
    plan(catalogue, target).expect_err("refused").to_string()
}

#[test]
fn the_newest_base_before_the_moment_is_rolled_forward_to_it() {
    let backups = vec![backup(10, 1, 1, None), backup(30, 1, 3, None), backup(90, 1, 9, None)];
    let files = (2..9).map(|number| wal(1, number, i64::try_from(number).unwrap() * 10, false)).collect();
    let found = plan(&Catalogue::new(backups, files), Target::Time(at(55))).unwrap();
    assert_eq!(found.base.id, "b000030");
    let numbers: Vec<u64> = found.wal.iter().map(|(segment, _)| segment.number).collect();
    assert_eq!(numbers, [4, 5, 6, 7, 8], "only what follows the base, which has its own WAL");
    assert_eq!(found.stop_at, Some(at(55)));
}

#[test]
fn a_moment_before_the_oldest_backup_is_refused_with_the_earliest_one() {
    let catalogue = Catalogue::new(vec![backup(10, 1, 1, None)], Vec::new());
    assert_eq!(
        refusal(&catalogue, Target::Time(at(9))),
        "no backup ended before 2026-02-25T06:13:29.000Z: the oldest ended at 2026-02-25T06:13:30.000Z, so that is the \
         earliest moment that can be restored"
    );
    assert!(refusal(&Catalogue::default(), Target::Latest).starts_with("there is no backup"));
}

#[test]
fn a_moment_after_the_archived_wal_is_refused_with_the_latest_one() {
    let catalogue = Catalogue::new(vec![backup(10, 1, 1, None)], vec![wal(1, 2, 20, true)]);
    assert!(plan(&catalogue, Target::Time(at(20))).is_ok());
    let error = plan(&catalogue, Target::Time(at(21)));
    assert_eq!(error, Err(Refusal::TooLate { target: at(21), until: at(20) }));
}

#[test]
fn a_gap_is_named_from_its_first_to_its_last_segment() {
    let files = vec![wal(1, 2, 20, false), wal(1, 5, 50, false), wal(1, 6, 60, true)];
    let catalogue = Catalogue::new(vec![backup(10, 1, 1, None)], files);
    for target in [Target::Latest, Target::Time(at(55))] {
        let text = refusal(&catalogue, target);
        assert!(
            text.starts_with("WAL is missing from 000000010000000000000003 to 000000010000000000000004"),
            "{text}"
        );
    }
    assert!(plan(&catalogue, Target::Time(at(20))).is_ok(), "before the gap");
}

#[test]
fn a_segment_whose_end_is_missing_is_a_gap_if_others_follow_it() {
    let files = vec![wal(1, 2, 20, true), wal(1, 3, 30, true)];
    let text = refusal(&Catalogue::new(vec![backup(10, 1, 1, None)], files), Target::Latest);
    assert!(text.contains("from 000000010000000000000002 to 000000010000000000000002"), "{text}");
}

#[test]
fn a_fork_without_a_base_after_it_is_refused() {
    let files = vec![wal(1, 2, 20, true), wal(2, 2, 30, false), wal(2, 3, 40, true)];
    let mut backups = vec![backup(10, 1, 1, None)];
    let catalogue = Catalogue::new(backups.clone(), files.clone());
    for target in [Target::Latest, Target::Time(at(35))] {
        let text = refusal(&catalogue, target);
        assert!(text.contains("it follows timeline 1, the server went over to 2"), "{text}");
    }
    assert!(plan(&catalogue, Target::Time(at(15))).is_ok(), "before the fork");
    backups.push(backup(30, 2, 2, None));
    let found = plan(&Catalogue::new(backups, files), Target::Latest).unwrap();
    assert_eq!((found.base.timeline, found.wal.len()), (2, 1));
}

#[test]
fn a_fork_and_a_gap_are_uncovered_until_the_next_backup() {
    let what = |backups: &[Backup], files: &[WalFile]| {
        uncovered(&Catalogue::new(backups.to_vec(), files.to_vec())).map(|found| (found.base, found.what))
    };
    let mut backups = vec![backup(10, 1, 1, None)];
    let fork = [wal(1, 2, 20, true), wal(2, 2, 30, false), wal(2, 3, 40, true)];
    assert_eq!(what(&backups, &fork), Some(("b000010".to_owned(), "timeline 2".to_owned())));
    let gap = [wal(1, 2, 20, false), wal(1, 4, 40, false), wal(1, 5, 50, true)];
    let after = "the WAL after segment 000000010000000000000003".to_owned();
    assert_eq!(what(&backups, &gap), Some(("b000010".to_owned(), after)));
    assert_eq!(what(&[], &fork), None, "there is no backup at all");
    backups.push(backup(45, 2, 3, None));
    assert_eq!(what(&backups, &fork), None);
}

#[test]
fn a_complete_segment_replaces_its_partial_one() {
    let files = vec![wal(1, 2, 19, true), wal(1, 2, 20, false), wal(1, 3, 30, false)];
    let found = plan(&Catalogue::new(vec![backup(10, 1, 1, None)], files), Target::Latest).unwrap();
    assert_eq!(found.wal.iter().map(|(_, partial)| *partial).collect::<Vec<_>>(), [false, false]);
}

proptest! {
    /// Replaying a plan never jumps over WAL, begins right after the base, and reaches the moment.
    #[test]
    fn a_plan_has_no_gap_and_reaches_its_moment(catalogue in repository(), second in 0..260_i64) {
        let Ok(found) = plan(&catalogue, Target::Time(at(second))) else { return Ok(()) };
        prop_assert!(found.base.ended <= at(second) && at(second) <= found.until);
        let mut wanted = found.base.last_segment().next();
        for (number, (segment, partial)) in found.wal.iter().enumerate() {
            prop_assert_eq!(*segment, wanted);
            prop_assert!(!partial || number + 1 == found.wal.len(), "only the last may be partial");
            wanted = wanted.next();
        }
        let newer = catalogue.backups.iter().any(|backup| {
            backup.manifest.ended > found.base.ended && backup.manifest.ended <= at(second)
        });
        prop_assert!(!newer, "a newer base ended in time");
    }

    /// The latest state is all that was archived, or it is refused: WAL is never left out silently.
    #[test]
    fn the_latest_state_leaves_no_wal_out(catalogue in repository()) {
        match plan(&catalogue, Target::Latest) {
            Ok(found) => {
                let reached = found.wal.last().map_or(found.base.last_segment(), |(segment, _)| *segment);
                prop_assert!(catalogue.wal.iter().all(|file| file.segment <= reached));
            }
            Err(Refusal::NoBackup) => prop_assert!(catalogue.backups.is_empty()),
            Err(Refusal::Gap { until, .. } | Refusal::Forked { until, .. }) => {
                // What the sentence promises holds.
                let found = plan(&catalogue, Target::Time(until));
                prop_assert!(found.is_ok(), "{:?}", found);
            }
            Err(other) => prop_assert!(false, "{other}"),
        }
    }

    /// A backup that ends now covers everything: nothing asks for another one.
    #[test]
    fn a_new_backup_covers_what_was_uncovered(catalogue in repository()) {
        let Some(newest) = catalogue.wal.last() else { return Ok(()) };
        let (timeline, number) = (newest.segment.timeline, newest.segment.number);
        prop_assert_eq!(
            uncovered(&catalogue).is_some(),
            !catalogue.backups.is_empty() && plan(&catalogue, Target::Latest).is_err()
        );
        let mut backups = catalogue.backups.clone();
        backups.push(backup(1_000, timeline, number, None));
        prop_assert_eq!(uncovered(&Catalogue::new(backups, catalogue.wal.clone())), None);
    }

    /// A moment that is refused with a moment that works instead: that one does work.
    #[test]
    fn a_refusal_names_a_moment_that_works(catalogue in repository(), second in 0..300_i64) {
        let other = match plan(&catalogue, Target::Time(at(second))) {
            Ok(_) | Err(Refusal::NoBackup) => return Ok(()),
            Err(Refusal::NoBase { oldest, .. }) => oldest,
            Err(
                Refusal::TooLate { until, .. } | Refusal::Gap { until, .. } | Refusal::Forked { until, .. },
            ) => until,
        };
        prop_assert!(plan(&catalogue, Target::Time(other)).is_ok());
    }
}
