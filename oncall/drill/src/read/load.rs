//! What callers do: the load at the baseline, and the times with another one.

use std::{collections::BTreeSet, time::Duration};

use serde_saphyr::Spanned;

use super::{LONGEST, Reader, SECOND, Values as _, all, raw};
use crate::model::{Load, Surge};

/// Most requests per second that a drill may ask for.
const FASTEST: u32 = 2000;
/// Most times that a surge comes.
const MOST_TIMES: u32 = 200;

pub(super) fn load(reader: &mut Reader, raw: &raw::Load) -> Option<Load> {
    let scenario = reader.name(&raw.scenario, "load.scenario");
    let rps = reader.take(&raw.rps, "load.rps", yaml::within(raw.rps.value, 1, FASTEST));
    let mut names = BTreeSet::new();
    let surges = raw.surges.iter().flatten().enumerate();
    let surges =
        all(surges
            .map(|(index, raw)| surge(reader, &raw.value, &format!("load.surges[{index}]"), &mut names)));
    let surges = surges?.into_iter().enumerate();
    let surges: Vec<(usize, Surge)> =
        surges.flat_map(|(index, times)| times.into_iter().map(move |surge| (index, surge))).collect();
    let overlap = surges.windows(2).find(|pair| pair[1].1.after < pair[0].1.after + pair[0].1.lasts);
    if let (Some(pair), Some(list)) = (overlap, &raw.surges) {
        let index = pair[1].0;
        reader.wrong(
            &list[index],
            &format!("load.surges[{index}]"),
            "begins before the one above ends: expected them one after another",
        );
    }
    let surges = surges.into_iter().map(|(_, surge)| surge).collect();
    Some(Load { scenario: scenario?, rps: rps?, surges })
}

/// A surge, as many times as it comes.
fn surge(
    reader: &mut Reader,
    raw: &raw::Surge,
    field: &str,
    names: &mut BTreeSet<String>,
) -> Option<Vec<Surge>> {
    let name = match &raw.name {
        None => Some(None),
        Some(name) => reader.unique(name, &format!("{field}.name"), names).map(Some),
    };
    let after = reader.time(&raw.after, &format!("{field}.after"), Duration::ZERO, LONGEST);
    let rps = reader.take(&raw.rps, &format!("{field}.rps"), yaml::within(raw.rps.value, 0, FASTEST));
    let lasts = reader.time(&raw.lasts, &format!("{field}.lasts"), SECOND, LONGEST);
    let again = again(reader, raw, field);
    let (name, after, rps, lasts, (every, times)) = (name?, after?, rps?, lasts?, again?);
    // Whether a response ends it is known once the responses are read.
    let one =
        |number: u32| Surge { name: name.clone(), after: after + every * number, rps, lasts, lasting: false };
    Some((0..times).map(one).collect())
}

/// The time from one to the next, and how many there are.
fn again(reader: &mut Reader, raw: &raw::Surge, field: &str) -> Option<(Duration, u32)> {
    match (&raw.every, &raw.times) {
        (None, None) => Some((Duration::ZERO, 1)),
        (Some(every), Some(times)) => {
            let every = reader.time(every, &format!("{field}.every"), SECOND, LONGEST);
            let number = yaml::within(times.value, 2, MOST_TIMES);
            every.zip(reader.take(times, &format!("{field}.times"), number))
        }
        (Some(every), None) => alone(reader, every, &format!("{field}.every"), "times"),
        (None, Some(times)) => alone(reader, times, &format!("{field}.times"), "every"),
    }
}

/// One of the two is missing.
fn alone<T, U>(reader: &mut Reader, at: &Spanned<T>, field: &str, missing: &str) -> Option<U> {
    reader.wrong(at, field, format!("expected `{missing}` beside it"));
    None
}
