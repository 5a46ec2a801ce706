//! Names of segments and places in the WAL, as PostgreSQL writes them.

use proptest::{prelude::*, sample::select};
use recovery::{Lsn, Segment, wal::is_history};

#[test]
fn names_are_those_that_postgresql_gives() {
    // Computed by PostgreSQL 15: select pg_walfile_name('0/3000028'), with segments of 16 and of 4 MiB.
    let at: Lsn = "0/3000028".parse().unwrap();
    assert_eq!(Segment::at(1, at, 16 << 20).name(16 << 20), "000000010000000000000003");
    assert_eq!(Segment::at(1, at, 4 << 20).name(4 << 20), "00000001000000000000000C");
    let late = Lsn(0x0000_0005_FF00_0000);
    assert_eq!(Segment::at(2, late, 16 << 20).name(16 << 20), "0000000200000005000000FF");
    assert_eq!(Segment::at(2, late, 16 << 20).next().name(16 << 20), "000000020000000600000000");
}

#[test]
fn a_backup_that_stops_at_a_boundary_ends_in_the_segment_before_it() {
    let boundary = Lsn(3 * (4 << 20));
    assert_eq!(Segment::before(1, boundary, 4 << 20).number, 2);
    assert_eq!(Segment::at(1, boundary, 4 << 20).number, 3);
    assert_eq!(Segment::before(1, Lsn(boundary.0 + 1), 4 << 20).number, 3);
}

#[test]
fn other_files_of_the_folder_are_no_segments() {
    for name in [
        "00000002.history",
        "000000010000000000000003.partial",
        "00000001000000000000000g",
        "",
        "archive_status",
    ] {
        assert_eq!(Segment::named(name, 16 << 20), None, "{name}");
    }
    assert_eq!(
        Segment::named("000000010000000000000100", 16 << 20),
        None,
        "256 segments of 16 MiB are 4 GiB"
    );
    assert!(is_history("00000002.history") && !is_history("0000002.history") && !is_history("x.history"));
}

proptest! {
    #[test]
    fn a_name_leads_back_to_its_segment(
        timeline in 1..u32::MAX, number in 0..1_u64 << 30, size in select(vec![1_u64 << 20, 4 << 20, 16 << 20, 1 << 30]),
    ) {
        let segment = Segment { timeline, number };
        let name = segment.name(size);
        prop_assert_eq!(Segment::named(&name, size), Some(segment));
        prop_assert!(name < segment.next().name(size), "names sort as their segments");
    }

    #[test]
    fn a_place_is_read_as_it_is_written(place in any::<u64>()) {
        prop_assert_eq!(Lsn(place).to_string().parse::<Lsn>(), Ok(Lsn(place)));
    }

    #[test]
    fn no_text_makes_reading_a_place_or_a_name_fail_in_another_way(text in ".{0,30}") {
        let _ = text.parse::<Lsn>();
        let _ = Segment::named(&text, 4 << 20);
    }
}
