//! Which release an incident came from. People know it best, and say so in a hypothesis that names the release. Otherwise
//! it is taken to be the last release of an affected service that everyone had shortly before the incident began: a
//! guess, which people can rule out.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use incident::{Incident, Measures, State, Verdict, Viewer};

use crate::{
    dora::{Caused, Delivery},
    run::How,
};

/// How long before an incident a release may have ended to be its cause, on the production clock.
pub const WITHIN: TimeDelta = TimeDelta::hours(1);
/// How the name of a release begins.
const PREFIX: &str = "REL-";

/// An incident whose cause is sought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// Affected services.
    pub services: BTreeSet<String>,
    /// Its first symptom; if none was noted, its first alert, and else its opening.
    pub began: DateTime<Utc>,
    /// When users were no longer affected; none while they are.
    pub restored: Option<DateTime<Utc>>,
    /// The release that people have confirmed to be its cause.
    pub confirmed: Option<String>,
    /// Those that they have ruled out.
    pub ruled_out: Vec<String>,
    /// Whether everybody may know that somebody set a fault.
    pub fault: bool,
}

impl Trouble {
    /// As far as everybody may know it; nothing for a dismissed incident, because nothing was wrong.
    #[must_use]
    pub fn of(incident: &Incident) -> Option<Self> {
        let lasts = match incident.state {
            State::Dismissed => return None,
            State::Triage | State::Active => true,
            State::Mitigated | State::Resolved | State::Closed => false,
        };
        Some(Self {
            services: incident.services.clone(),
            began: Measures::of(incident, Viewer::Trainee).started_at,
            restored: incident.times.mitigated.filter(|_| !lasts),
            confirmed: named(incident, |verdict| matches!(verdict, Verdict::Confirmed { .. })).pop(),
            ruled_out: named(incident, |verdict| matches!(verdict, Verdict::RuledOut { .. })),
            fault: incident.truth.is_some(),
        })
    }

    /// The release among these that it came from, if any; `speed` is the lab clock's divisor.
    #[must_use]
    pub fn caused(&self, deliveries: &[Delivery], speed: u32) -> Option<Caused> {
        let within = WITHIN / i32::try_from(speed.max(1)).unwrap_or(i32::MAX);
        let close = |one: &&Delivery| {
            one.how == How::Released
                && self.services.contains(&one.service)
                && (TimeDelta::zero()..=within).contains(&(self.began - one.ended))
                && !self.ruled_out.contains(&one.release)
        };
        let last = deliveries.iter().filter(close).max_by_key(|one| one.ended);
        let guess = last.filter(|_| !self.fault).map(|one| one.release.clone());
        let release = self.confirmed.clone().or(guess)?;
        Some(Caused { release, began: self.began, restored: self.restored })
    }
}

/// The releases that the hypotheses with such a verdict name, in the order in which they were stated.
fn named(incident: &Incident, verdict: impl Fn(&Verdict) -> bool) -> Vec<String> {
    let texts = incident.hypotheses.iter().filter(|one| verdict(&one.verdict)).map(|one| &one.text);
    texts.flat_map(|text| releases(text)).collect()
}

/// The releases that a text names, written as they are everywhere.
fn releases(text: &str) -> Vec<String> {
    let words = text.split(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '-'));
    let names = words.map(str::to_ascii_uppercase).filter(|word| {
        let digits = word.strip_prefix(PREFIX).unwrap_or_default();
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
    });
    names.collect()
}
