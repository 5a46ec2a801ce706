//! Each minute of a person counts once, even if two incidents were open: what changed something has it first, then what looked.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::Entry;

/// A time from its first to its second instant.
type Time = (DateTime<Utc>, DateTime<Utc>);

/// An entry, and the minutes that are its own.
pub(super) struct Work<'e> {
    pub(super) entry: &'e Entry,
    pub(super) minutes: f64,
}

/// The work of some entries, in their order.
pub(super) fn once<'e>(entries: &[&'e Entry]) -> Vec<Work<'e>> {
    let mut order: Vec<usize> = (0..entries.len()).collect();
    // Remediation comes before what else there is; of the same kind, the first.
    order.sort_by_key(|index| {
        let entry = entries[*index];
        (entry.class != super::Class::Remediation, entry.class, entry.from)
    });
    let mut taken: BTreeMap<&str, Vec<Time>> = BTreeMap::new();
    let mut minutes = vec![0.0; entries.len()];
    for index in order {
        let entry = entries[index];
        minutes[index] = match entry.person.as_deref() {
            Some(person) => free(taken.entry(person).or_default(), (entry.from, entry.until)),
            None => entry.minutes(),
        };
    }
    entries.iter().zip(minutes).map(|(entry, minutes)| Work { entry, minutes }).collect()
}

/// The minutes of a time that nothing has taken; it is taken afterwards. `taken` has no overlaps.
fn free(taken: &mut Vec<Time>, (from, until): Time) -> f64 {
    if until <= from {
        return 0.0;
    }
    let (mut begin, mut end, mut lost) = (from, until, TimeDelta::zero());
    taken.retain(|&(first, last)| {
        let apart = last < from || until < first;
        if !apart {
            lost += last.min(until) - first.max(from);
            begin = begin.min(first);
            end = end.max(last);
        }
        apart
    });
    taken.push((begin, end));
    (until - from - lost).as_seconds_f64() / 60.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::toil::Class;

    fn at(minute: i64) -> DateTime<Utc> {
        DateTime::<Utc>::UNIX_EPOCH + TimeDelta::minutes(minute)
    }

    fn work(person: Option<&str>, class: Class, from: i64, until: i64) -> Entry {
        let (person, task) = (person.map(str::to_owned), "TargetDown".to_owned());
        Entry { from: at(from), until: at(until), person, task, alert: None, class }
    }

    #[test]
    fn a_minute_belongs_to_what_changed_something_then_to_what_began_first() {
        let (ada, ben) = (Some("ada"), Some("ben"));
        let entries = [
            work(ada, Class::Reactive, 0, 60),
            // Another incident at the same time.
            work(ada, Class::Reactive, 30, 90),
            work(ada, Class::Remediation, 50, 70),
            work(ada, Class::Remediation, 70, 75),
            work(ben, Class::Reactive, 0, 60),
            work(None, Class::Remediation, 0, 5),
            work(ada, Class::Reactive, 100, 90),
        ];
        let entries: Vec<&Entry> = entries.iter().collect();
        let minutes: Vec<f64> = once(&entries).iter().map(|work| work.minutes).collect();
        assert_eq!(minutes, [50.0, 15.0, 20.0, 5.0, 60.0, 5.0, 0.0]);
    }
}
