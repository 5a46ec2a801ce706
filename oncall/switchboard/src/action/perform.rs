//! Does what an action says, or tells what it would do: each kind of act is a file of its own.

use super::{
    Action, Outcome, canary, drain, failover, files, firewall, keys, load, parts, redrive, restart, restore,
    scale, sessions, silence, switches, time,
};
use crate::{Error, Place, Result, Tools};

impl Action {
    /// As [`Action::undo`], and for what sets a number, back to the number that it has now: ask before it is
    /// run.
    pub async fn undo_from_now(&self, place: &Place, tools: &Tools) -> Option<Self> {
        match self {
            Self::SetLoad { .. } => tools.load_rate().await.ok().map(|rps| Self::SetLoad { rps }),
            Self::Scale { target, .. } => {
                let replicas = scale::now(place, target).await.ok()?;
                Some(Self::Scale { target: target.clone(), replicas })
            }
            _ => self.undo(),
        }
    }

    /// What it would do, with what there is now: pids, counts of sessions, keys and messages. Changes
    /// nothing; the values of a fault's parameters are only checked when it runs.
    ///
    /// # Errors
    /// When there is no such target, something cannot be reached, or it is not possible here.
    pub async fn describe(&self, place: &Place, tools: &Tools, token: Option<&str>) -> Result<Vec<Outcome>> {
        self.act(place, tools, token, true).await
    }

    /// Does it: a switch in all replicas at once, a restart in one after the other.
    ///
    /// # Errors
    /// When there is no such target, something cannot be reached, or it is not possible here: then nothing
    /// was done. What one replica refuses is in its [`Outcome`].
    pub async fn run(&self, place: &Place, tools: &Tools, token: Option<&str>) -> Result<Vec<Outcome>> {
        self.act(place, tools, token, false).await
    }

    /// What changes once it was done, such as which processes run: tells after a crash of the caller whether
    /// it was. `None`: it may be repeated without harm.
    ///
    /// # Errors
    /// As [`Action::describe`].
    pub async fn mark(&self, place: &Place, tools: &Tools, _token: Option<&str>) -> Result<Option<String>> {
        match self {
            Self::Restart { target } => restart::mark(place, tools, target).await.map(Some),
            // Both give the server another data folder. A second failover would go on to the replica of the first.
            Self::Restore { .. } | Self::Failover { .. } => restore::mark(tools).await.map(Some),
            // Some callers say how many more: done twice, it would be twice as many.
            Self::Scale { target, .. } => Ok(Some(scale::now(place, target).await?.to_string())),
            _ => Ok(None),
        }
    }

    async fn act(
        &self,
        place: &Place,
        tools: &Tools,
        token: Option<&str>,
        dry: bool,
    ) -> Result<Vec<Outcome>> {
        match self {
            Self::SetFault { .. }
            | Self::EndFault { .. }
            | Self::EndFaults { .. }
            | Self::SetProtection { .. } => switches::act(self, place, token, dry).await,
            Self::PushRule { .. }
            | Self::SetRule { .. }
            | Self::RestoreRule { .. }
            | Self::SwitchFirewall { .. }
            | Self::LimitClients { .. } => self.at_edges(place, token, dry).await,
            Self::Restart { target } => restart::act(place, tools, target, dry).await,
            Self::Drain { target, ttl } => drain::drain(place, (tools, token), target, ttl, dry).await,
            Self::Undrain { target } => drain::undrain(place, (tools, token), target.as_deref(), dry).await,
            Self::Restore { instance, to } => restore::act(tools, instance, to, dry).await,
            Self::Failover { instance, force } => failover::act(tools, instance, *force, dry).await,
            Self::Scale { target, replicas } => scale::act(place, target, *replicas, dry).await,
            Self::EndSessions { database, state, older_than, application, most } => {
                let wanted = sessions::Wanted {
                    state: *state,
                    older_than: time::of("older_than", older_than)?,
                    application: application.as_deref(),
                    most: *most,
                };
                sessions::act(tools, database, &wanted, dry).await
            }
            Self::PurgeKeys { pattern, ttl_over, most } => {
                let over = ttl_over.as_ref().map(|ttl| time::of("ttl_over", ttl)).transpose()?;
                keys::act(tools, &keys::Wanted { pattern, over, most: *most }, dry).await
            }
            Self::RemoveFiles { target } => files::act(place, tools, target, dry),
            Self::Redrive { target, most } => redrive::act(place, tools, target, *most, dry).await,
            Self::SetLoad { rps } => load::act(tools, *rps, dry).await,
            Self::Silence { alert, service, ttl } => {
                let ttl = time::of("ttl", ttl)?;
                silence::act(tools, &silence::Muted::new(alert, service.as_deref())?, ttl, dry).await
            }
            Self::ExpireSilence { alert, service } => {
                silence::expire(tools, &silence::Muted::new(alert, service.as_deref())?, dry).await
            }
            Self::StopPart { target, ttl } => parts::stop(tools, target, time::of("ttl", ttl)?, dry).await,
            Self::StartPart { target } => parts::start(tools, target, dry).await,
            Self::Rollback { change } if dry => Ok(vec![Outcome::good(change, "would be taken back")]),
            Self::Rollback { .. } => {
                let what = "only the control room can take back a release, or a change of a drill";
                Err(Error::not_here(what, "POST /api/v1/actions there, or use its page Actions"))
            }
        }
    }

    /// What is done to the rules and limits of the edges: a rule with a canary goes to one of them first.
    async fn at_edges(&self, place: &Place, token: Option<&str>, dry: bool) -> Result<Vec<Outcome>> {
        firewall::check(self)?;
        match self {
            Self::PushRule { target, rule, file, canary: Some(canary) } if !dry => {
                let lasts = time::of("canary", canary)?;
                canary::push(place, token, (target, rule, file), lasts).await
            }
            _ => switches::act(self, place, token, dry).await,
        }
    }
}
