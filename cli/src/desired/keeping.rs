//! Makes what runs what the newest commit says, look by look, wherever it runs.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, anyhow};
use gitops::Repository;
use release::desired::{Act, Cause, Decision, Drift, Health, Open, Setting, Settings, read};
use tokio::time::timeout;

use super::{
    PATIENCE, Report,
    book::Book,
    edges::{Done, Edges, Look},
    flags::Flags,
    member::Member,
    wanted::Wanted,
};
use crate::parts::edge::EDGE;

/// Whether what differs is set, or only told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Does {
    /// It is set, even what was changed by hand and would stay.
    SetsAll,
    /// It is set; what was changed by hand as the commit says.
    Sets,
    /// It is told.
    Tells,
}

/// Keeps instances as the commits of a repository say.
pub(crate) struct Keeping {
    repository: Repository,
    edges: Edges,
    flags: Flags,
    wanted: Option<Wanted>,
    book: Book,
    /// What the last turn has set, a sentence each.
    tried: Vec<String>,
}

impl Keeping {
    /// By this repository, with the token that switches take.
    pub(crate) fn new(repository: Repository, token: Option<&str>) -> Self {
        let token = token.map(str::to_owned);
        Self {
            repository,
            edges: Edges::new(token.clone()),
            flags: Flags::new(token),
            wanted: None,
            book: Book::default(),
            tried: Vec::new(),
        }
    }

    /// The repository.
    pub(crate) const fn repository(&self) -> &Repository {
        &self.repository
    }

    /// Reads the newest commit, if it is another one. One that cannot be read leaves the one before in force: then why it cannot be.
    pub(crate) async fn refresh(&mut self) -> Option<String> {
        let failed = self.read().await.err()?;
        Some(format!("the newest commit cannot be read: {failed:#}"))
    }

    /// What the last turn has set, and why, a sentence each.
    pub(crate) fn tried(&self) -> &[String] {
        &self.tried
    }

    /// Services whose instances have to be known for the next turn.
    pub(crate) fn services(&self) -> BTreeSet<String> {
        let settings = self.wanted.iter().flat_map(|wanted| self.book.known(wanted));
        let flagged = settings.filter_map(|setting| setting.service().map(str::to_owned));
        flagged.chain([EDGE.to_owned()]).collect()
    }

    /// Looks at those who run now, sets what differs, and says how things are then. `broken`: what keeps it from being as it should be
    /// already now, a sentence each.
    pub(crate) async fn turn(&mut self, members: &[Member], does: Does, broken: Vec<String>) -> Report {
        let Some(wanted) = self.wanted.clone() else {
            return Report { commit: None, health: Health::Degraded, open: broken };
        };
        let wanted = asked(wanted, does);
        let sets = does != Does::Tells;
        let heals = sets && wanted.drift == Drift::Heal;
        let mut look = self.look(&wanted, members).await;
        self.tried.clear();
        if sets {
            let before = self.book.decide(&wanted, &look.seen);
            // One edge has had its text since an earlier turn.
            let set = |open: &Open| self.edges.trying(&open.setting).is_some();
            let due = |open: &&Open| !set(open) && before.acts.iter().any(|act| act.setting == open.setting);
            let tried = before.open.iter().filter(due).map(|open| self.told(open, &wanted.settings));
            self.tried = tried.collect();
            if heals {
                self.tried.extend(weights(&look, "; they are set back"));
                self.edges.unweigh(&look.reweighted).await;
            }
            if !before.acts.is_empty() {
                self.perform(before.acts, &wanted.settings).await;
            }
            look = self.look(&wanted, members).await;
        }
        let decision = self.book.decide(&wanted, &look.seen);
        if sets && decision.settled {
            self.book.settled(&wanted);
            self.edges.tidy(&wanted.settings).await;
        }
        let becomes = match (does, wanted.drift) {
            (Does::Tells, _) => "",
            (_, Drift::Heal) => "; they are set back",
            (_, Drift::Keep) => "; they stay",
        };
        look.silent = broken.into_iter().chain(std::mem::take(&mut look.silent)).collect();
        self.report(wanted, &decision, look, becomes)
    }

    /// `becomes`: what becomes of weights that were changed by hand.
    fn report(&self, wanted: Wanted, decision: &Decision, look: Look, becomes: &str) -> Report {
        let weights: Vec<String> = weights(&look, becomes).collect();
        let broken = look.silent;
        let health = match decision.health {
            _ if !broken.is_empty() => Health::Degraded,
            Health::Synced if !weights.is_empty() => Health::OutOfSync,
            health => health,
        };
        let open = decision.open.iter().map(|open| self.told(open, &wanted.settings));
        let open = broken.into_iter().chain(open).chain(weights).collect();
        Report { commit: Some(wanted.commit), health, open }
    }

    /// What is not as it should be, with the edges where it is not.
    fn told(&self, open: &Open, wanted: &Settings) -> String {
        let of_edges = Edges::have(&open.setting);
        let places = if of_edges { self.edges.differing(&open.setting, wanted) } else { Vec::new() };
        let first = self.edges.trying(&open.setting).map(|edge| format!("; {edge} has it first"));
        sentence(open, &places) + &first.unwrap_or_default()
    }

    /// Looks at the edges and at the services with flags, and remembers what one of them has lost.
    async fn look(&mut self, wanted: &Wanted, members: &[Member]) -> Look {
        let (flags, others): (BTreeSet<Setting>, BTreeSet<Setting>) =
            self.book.known(wanted).into_iter().partition(Flags::have);
        let mut look = self.edges.look(others, (&wanted.settings, &wanted.services), members).await;
        let Look { seen, silent, lost, .. } = self.flags.look(flags, members).await;
        look.seen.extend(seen);
        look.silent.extend(silent);
        look.lost.extend(lost);
        self.book.lost(std::mem::take(&mut look.lost));
        look
    }

    async fn read(&mut self) -> Result<()> {
        let head = timeout(PATIENCE, self.repository.head()).await;
        let commit = head.context("git did not answer in time")??;
        if self.wanted.as_ref().is_some_and(|wanted| wanted.commit == commit) {
            return Ok(());
        }
        let tree = self.repository.tree(&commit).await?;
        let desired = read(&tree).map_err(|problems| anyhow!("{problems}"))?;
        let here = |setting: &Setting| Edges::have(setting) || Flags::have(setting);
        let settings = desired.settings().into_iter().filter(|(setting, _)| here(setting)).collect();
        let services = desired.services.keys().cloned().collect();
        self.wanted = Some(Wanted { commit, settings, services, drift: desired.drift });
        self.book.renew();
        Ok(())
    }

    /// Rules first: the mode of one that is not there yet cannot be set.
    async fn perform(&mut self, mut acts: Vec<Act>, wanted: &Settings) {
        acts.sort_by_key(|act| !matches!(act.setting, Setting::Rule { .. }));
        for act in acts {
            let done = if Flags::have(&act.setting) {
                self.flags.perform(&act).await.map(|()| Done::Everywhere)
            } else {
                let before = self.book.in_force(&act.setting).map(str::to_owned);
                self.edges.perform(&act, wanted, before).await
            };
            match done {
                Ok(Done::Everywhere) => self.book.done(act),
                Ok(Done::First) => self.book.begun(act.setting),
                Err(error) => self.book.failed(act, format!("{error:#}")),
            }
        }
    }
}

/// What a turn wants: one that sets everything leaves nothing as somebody has changed it.
fn asked(wanted: Wanted, does: Does) -> Wanted {
    match does {
        Does::SetsAll => Wanted { drift: Drift::Heal, ..wanted },
        Does::Sets | Does::Tells => wanted,
    }
}

/// Weights that were changed by hand, a sentence each; `becomes`: what becomes of them.
fn weights<'l>(look: &'l Look, becomes: &'l str) -> impl Iterator<Item = String> + 'l {
    look.reweighted.iter().map(move |(edge, route)| {
        format!("the weights of the route {route} of {edge} were changed by hand{becomes}")
    })
}

/// What is not as it should be, and on which edges; of files only that they are.
fn sentence(open: &Open, places: &[&str]) -> String {
    let shown = |value: Option<&String>, none: &str| match value {
        Some(text) if text.contains('\n') => "a file".to_owned(),
        Some(text) => text.clone(),
        None => none.to_owned(),
    };
    let why = match &open.cause {
        Cause::Change | Cause::Waits => String::new(),
        Cause::Healed => "; it was changed by hand, and is set back".to_owned(),
        Cause::Kept => "; it was changed by hand, and stays".to_owned(),
        Cause::Unknown { why } => format!("; {why}"),
        Cause::Failing { why, .. } => format!("; it failed, and is tried again: {why}"),
    };
    let (found, wanted) = (shown(open.found.as_ref(), "not set"), shown(open.wanted.as_ref(), "not set"));
    let places = if places.is_empty() { String::new() } else { format!(" on {}", places.join(", ")) };
    format!("{} is {found}{places} and should be {wanted}{why}", open.setting)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use release::desired::Seen;

    use super::*;

    #[test]
    fn a_sync_sets_what_was_changed_by_hand_and_would_stay() {
        let settings = Settings::from([(Setting::Limit, "rps=20 burst=40".to_owned())]);
        let wanted = Wanted { commit: "c1".to_owned(), settings, services: Vec::new(), drift: Drift::Keep };
        let mut book = Book::default();
        book.settled(&wanted);
        let live = BTreeMap::from([(Setting::Limit, Seen::Value("rps=1 burst=1".to_owned()))]);
        for (does, acts, cause) in
            [(Does::Tells, 0, Cause::Kept), (Does::Sets, 0, Cause::Kept), (Does::SetsAll, 1, Cause::Healed)]
        {
            let decision = book.decide(&asked(wanted.clone(), does), &live);
            assert_eq!((decision.acts.len(), &decision.open[0].cause), (acts, &cause), "{does:?}");
        }
    }

    #[test]
    fn what_differs_is_told_with_its_place_and_what_becomes_of_it() {
        let setting = Setting::Mode { rule: "scanners".to_owned() };
        let open = |cause| Open {
            setting: setting.clone(),
            wanted: Some("enforce".to_owned()),
            found: Some("off".to_owned()),
            cause,
        };
        let said = sentence(&open(Cause::Healed), &["edge-a", "edge-b"]);
        let expected = "modes.scanners is off on edge-a, edge-b and should be enforce; \
                        it was changed by hand, and is set back";
        assert_eq!(said, expected);
        let said = sentence(&open(Cause::Kept), &[]);
        assert_eq!(said, "modes.scanners is off and should be enforce; it was changed by hand, and stays");
    }
}
