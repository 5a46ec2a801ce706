//! A drill with one action item of its postmortem switched on, and how much less bad that is, in numbers. Like the rest
//! of the truth, a trainee sees nothing of it before the end.

use std::{collections::BTreeMap, time::Duration};

use super::{FaultKind, Step, Way, Weakened};
use crate::Drill;

/// A measure of a drill that is less than this, in requests or in seconds, is no outage that an action item could make
/// better.
const LEAST: f64 = 1.0;

/// Something that is measured while a drill is proven.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measure {
    /// Its name.
    pub name: String,
    /// PromQL that returns one number. What counts is [`total`]: of a rate the number of events, of a condition that is
    /// 0 or 1 the number of seconds.
    pub query: String,
}

/// A drill with one action item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variant {
    /// Its name.
    pub name: String,
    /// The action item, for people.
    pub item: String,
    /// Protections that stay on.
    pub kept: Vec<Weakened>,
    /// How rules are pushed.
    pub way: Way,
    /// How long to look at least; none: as long as the drill does.
    pub observe: Option<Duration>,
    /// What the responder does; none: the drill's solution.
    pub solve: Option<Vec<Step>>,
    /// How many times as much the drill without the item has at least, by the name of the measure.
    pub less: BTreeMap<String, u32>,
}

/// A measure of a drill without an action item and with it.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// The measure.
    pub measure: String,
    /// How many times as much there has to be without the item.
    pub least: u32,
    /// Without the item; none if it was not measured.
    pub without: Option<f64>,
    /// With it.
    pub with: Option<f64>,
}

impl Difference {
    /// Whether the item is worth what the drill says. What was not measured proves nothing.
    #[must_use]
    pub fn holds(&self) -> bool {
        let both = self.without.zip(self.with);
        both.is_some_and(|(without, with)| without >= LEAST && with * f64::from(self.least) <= without)
    }
}

impl Variant {
    /// Compares what was measured without the item and with it.
    #[must_use]
    pub fn differences(
        &self,
        without: &BTreeMap<String, f64>,
        with: &BTreeMap<String, f64>,
    ) -> Vec<Difference> {
        let difference = |(measure, least): (&String, &u32)| Difference {
            measure: measure.clone(),
            least: *least,
            without: without.get(measure).copied(),
            with: with.get(measure).copied(),
        };
        self.less.iter().map(difference).collect()
    }
}

/// The area below a curve: each value counts for `step` seconds. None if nothing was measured.
#[must_use]
pub fn total(values: impl IntoIterator<Item = f64>, step: f64) -> Option<f64> {
    let finite = values.into_iter().filter(|value| value.is_finite());
    finite.fold(None, |sum: Option<f64>, value| Some(sum.unwrap_or_default() + value * step))
}

impl Drill {
    /// The drill with an action item; none if it has no such item. Of what the outage shows, nothing has to be seen: how
    /// bad it is gets measured. Nothing is tried that does not help.
    #[must_use]
    pub fn varied(&self, name: &str) -> Option<Self> {
        let variant = self.variants.iter().find(|variant| variant.name == name)?;
        let mut drill = self.clone();
        drill.weakened.retain(|weak| !variant.kept.iter().any(|kept| kept.covers(weak)));
        for fault in drill.faults.iter_mut().filter(|fault| fault.kind == FaultKind::Rule) {
            fault.way = variant.way;
        }
        drill.observe = variant.observe.unwrap_or(drill.observe);
        drill.signals.clear();
        drill.path.clear();
        let pages = std::mem::take(&mut drill.pages.expected);
        drill.pages.allowed.extend(pages.into_iter().map(|page| page.alert));
        drill.mitigations.wrong.clear();
        if let Some(solve) = &variant.solve {
            drill.solve.clone_from(solve);
        }
        Some(drill)
    }
}
