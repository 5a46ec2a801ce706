//! The audit log: whatever is done to it is found.

use chrono::{TimeDelta, Timelike as _};
use proptest::{collection::vec, prelude::*};
use runbook::audit::{Entry, Head, export, verify, verify_export};

use crate::support::at;

fn chain(data: &[String]) -> Vec<Entry> {
    let mut head = Head::default();
    let mut entries = Vec::new();
    for (number, data) in data.iter().enumerate() {
        let time = at("2026-11-29T07:00:00.123456789Z") + TimeDelta::seconds(number as i64);
        let entry = Entry::after(&head, time, "ada", "act.done", data.clone());
        head = entry.head();
        entries.push(entry);
    }
    entries
}

fn five() -> Vec<Entry> {
    chain(&["a", "b", "c", "d", "e"].map(str::to_owned))
}

#[test]
fn a_chain_is_intact_until_somebody_touches_it() {
    let entries = five();
    let head = verify(&entries, None).expect("intact");
    assert_eq!((head.seq, &head.hash), (5, &entries[4].hash));
    assert_eq!(verify(&[], None), Ok(Head::default()));
    assert_eq!(entries[0].at.nanosecond() % 1000, 0, "as a database keeps it");
    let broken = |change: fn(&mut Vec<Entry>)| {
        let mut entries = five();
        change(&mut entries);
        verify(&entries, None).unwrap_err().to_string()
    };
    assert_eq!(
        broken(|all| all[2].data = "x".to_owned()),
        "entry 3: its hash is not that of its fields: it was changed"
    );
    assert!(broken(|all| all[2].by = "ben".to_owned()).starts_with("entry 3: its hash"));
    assert!(broken(|all| all[2].at += TimeDelta::microseconds(1)).starts_with("entry 3: its hash"));
    assert!(broken(|all| drop(all.remove(1))).starts_with("entry 3: expected number 2"));
    assert!(broken(|all| all.swap(1, 2)).starts_with("entry 3: expected number 2"));
    assert!(broken(|all| drop(all.remove(0))).starts_with("entry 2: expected number 1"));
    // Moves a byte from one field to the next.
    assert!(
        broken(|all| (all[1].by, all[1].action) = ("adaa".to_owned(), "ct.done".to_owned())).contains("hash")
    );
    // Changes an entry together with its hash: then the next one does not follow.
    let anew = broken(|all| {
        all[2] = Entry::after(&all[1].head(), all[2].at, "eve", "act.done", "c".to_owned());
    });
    assert_eq!(anew, "entry 4: it does not follow the entry before: that one was changed or replaced");
}

#[test]
fn a_head_that_was_kept_elsewhere_shows_a_cut_and_a_chain_that_was_written_anew() {
    let entries = five();
    let known = entries[3].head();
    assert!(verify(&entries, Some(&known)).is_ok());
    let cut = verify(&entries[..3], Some(&known)).unwrap_err().to_string();
    assert_eq!(cut, "entry 4: the chain ends at 3: entries were cut off");
    let anew = chain(&["a", "b", "c", "other", "e"].map(str::to_owned));
    let anew = verify(&anew, Some(&known)).unwrap_err().to_string();
    assert!(anew.ends_with("the chain was rewritten"), "{anew}");
}

#[test]
fn an_export_is_checked_line_by_line() {
    let entries = five();
    let text = export(&entries);
    assert_eq!(text.lines().count(), 5);
    assert_eq!(verify_export(&text, None), verify(&entries, None));
    let tampered = text.replace("\"data\":\"b\"", "\"data\":\"B\"");
    assert_eq!(verify_export(&tampered, None).unwrap_err().seq, 2);
    let added = format!("{text}{{}}\n");
    let problem = verify_export(&added, None).unwrap_err();
    assert!(problem.seq == 6 && problem.what.starts_with("not an entry"), "{problem}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn any_changed_byte_of_an_export_is_found(data in vec("[ -~]{0,20}", 1..6), place in any::<prop::sample::Index>()) {
        let entries = chain(&data);
        let text = export(&entries);
        prop_assert_eq!(verify_export(&text, None), verify(&entries, None));
        let mut bytes = text.clone().into_bytes();
        let place = place.index(bytes.len());
        bytes[place] = if bytes[place] == b'7' { b'8' } else { b'7' };
        let changed = String::from_utf8(bytes).unwrap();
        let known = entries.last().map(Entry::head);
        prop_assert!(verify_export(&changed, known.as_ref()).is_err(), "{}", changed);
    }
}
