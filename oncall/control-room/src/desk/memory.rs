//! What the desk keeps in memory: every open incident, the newest that ended, and older ones with open action items.

use std::{collections::BTreeMap, sync::Arc};

use incident::{Id, Incident, alerts::Book};

/// How many incidents that ended are kept.
pub(super) const ENDED: usize = 500;
/// How many alerts and entries they may have together: about 20 MiB. The newest one is kept even if it has more.
const ENTRIES: usize = 20_000;

/// The incidents, and which alerts fire.
#[derive(Default)]
pub(super) struct Memory {
    pub(super) incidents: BTreeMap<Id, Arc<Incident>>,
    pub(super) book: Book,
}

impl Memory {
    /// Takes what was committed.
    pub(super) fn take(&mut self, changed: BTreeMap<Id, Arc<Incident>>, book: Option<Book>) {
        self.incidents.extend(changed);
        if let Some(book) = book {
            self.book = book;
        }
        self.forget();
    }

    /// Forgets the oldest of those that ended and left nothing to do; the journal still has them.
    fn forget(&mut self) {
        let (mut count, mut entries) = (0, 0);
        let ended = self.incidents.iter().rev().filter(|(_, incident)| !incident.state.is_open());
        let old: Vec<Id> = ended
            .filter(|(_, incident)| {
                count += 1;
                entries += incident.alerts.len() + incident.timeline.len();
                let many = count > ENDED || (count > 1 && entries > ENTRIES);
                many && incident.action_items().next().is_none()
            })
            .map(|(id, _)| *id)
            .collect();
        for id in old {
            self.incidents.remove(&id);
        }
    }

    /// Whether nothing that is older than this fits: stops reading at the start.
    pub(super) fn is_full(&self) -> bool {
        let ended = self.incidents.values().filter(|incident| !incident.state.is_open());
        let (count, entries) = ended.fold((0, 0), |(count, entries), incident| {
            (count + 1, entries + incident.alerts.len() + incident.timeline.len())
        });
        count >= ENDED || entries > ENTRIES
    }
}
