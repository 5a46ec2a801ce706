//! Repositories as a server of any history leaves them: the model that plans and retention are compared with.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use proptest::{collection::vec, prelude::*};
use recovery::{Backup, Catalogue, Lsn, Manifest, Segment, Verdict, WalFile};

/// Size of a segment in these histories.
pub(crate) const SIZE: u64 = 4 << 20;

/// A moment, in seconds from a fixed one.
pub(crate) fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_772_000_000, 0).expect("a time") + TimeDelta::seconds(seconds)
}

/// A backup that ended at this second, and has all WAL up to the end of this segment.
pub(crate) fn backup(ended: i64, timeline: u32, last: u64, verified: Option<bool>) -> Backup {
    let manifest = Manifest {
        version: 1,
        id: format!("b{ended:06}"),
        instance: "sre-lab/.lab".to_owned(),
        began: at(ended - 1),
        ended: at(ended),
        timeline,
        start: Lsn(last * SIZE + 40),
        stop: Lsn(last * SIZE + 400),
        segment_bytes: SIZE,
        server: "15.18".to_owned(),
        key: "00".to_owned(),
        files: Vec::new(),
    };
    let verdict = verified.map(|good| Verdict {
        at: at(ended + 1),
        millis: 900,
        checked: Vec::new(),
        complaints: if good { Vec::new() } else { vec!["no".to_owned()] },
        rows: BTreeMap::new(),
    });
    Backup { manifest, verdict }
}

/// An archived segment with everything up to this second.
pub(crate) fn wal(timeline: u32, number: u64, until: i64, partial: bool) -> WalFile {
    WalFile { segment: Segment { timeline, number }, partial, until: at(until) }
}

/// What happens to a server in ten seconds. Each writes one segment first.
#[derive(Debug, Clone, Copy)]
enum Event {
    Nothing,
    Backup {
        verified: Option<bool>,
    },
    /// Restored to the end of the WAL: a new timeline.
    Restored,
    /// The segment of these ten seconds is lost in the archive.
    Lost,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        6 => Just(Event::Nothing),
        3 => proptest::option::of(any::<bool>()).prop_map(|verified| Event::Backup { verified }),
        1 => Just(Event::Restored),
        1 => Just(Event::Lost),
    ]
}

/// A repository after some events, the last segment of it partial.
pub(crate) fn repository() -> impl Strategy<Value = Catalogue> {
    vec(event(), 0..24).prop_map(|events| {
        let (mut backups, mut files, mut timeline) = (Vec::new(), Vec::new(), 1);
        for (number, event) in (1..).zip(&events) {
            let now = i64::try_from(number * 10).expect("small");
            let partial = usize::try_from(number).is_ok_and(|number| number == events.len());
            match event {
                Event::Backup { verified } => backups.push(backup(now, timeline, number, *verified)),
                Event::Restored => timeline += 1,
                Event::Nothing | Event::Lost => {}
            }
            if !matches!(event, Event::Lost) {
                files.push(wal(timeline, number, now, partial));
            }
        }
        Catalogue::new(backups, files)
    })
}
