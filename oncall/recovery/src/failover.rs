//! Failover from a server to its replica, as a pure state machine: it is told what is there, and says the one next step.
//!
//! It keeps no memory. The caller carries out a step, looks again and asks again, so that a failover that was interrupted
//! anywhere (a crash, a full disk, a person) continues from what is there.
//!
//! Invariant: at no moment can two servers accept writes. Therefore the replica is promoted only after the old primary was
//! fenced *and* has ended, and a fence is removed only while the replica is still a standby.

use serde::{Deserialize, Serialize};

/// The data of the server that has the address which clients use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Primary {
    /// There are none: they were put aside, and nothing has taken their place yet.
    Missing,
    /// A server may be started on them.
    Usable,
    /// Fenced: PostgreSQL refuses to start on them.
    Fenced,
}

/// The data of the replica.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replica {
    /// There are none.
    Missing,
    /// A standby: it takes no writes.
    Standby,
    /// A standby that runs and was told to promote: it may take writes at any moment. One that ended before it did is a
    /// [`Standby`](Self::Standby) again.
    Promoting,
    /// Promoted: it takes writes, on its own timeline.
    Promoted,
}

/// What is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// The data at the address that clients use.
    pub primary: Primary,
    /// Whether any process still works on these data, even one that does not answer.
    pub primary_runs: bool,
    /// The data of the replica.
    pub replica: Replica,
    /// Whether a server runs on them.
    pub replica_runs: bool,
    /// Whether fenced data of an earlier primary lie aside.
    pub aside: bool,
}

/// The next step of a failover.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    /// End every process of the old primary.
    Stop,
    /// Mark its data so that no server starts on them, with any command.
    Fence,
    /// Promote the replica where it runs, and wait until it takes writes.
    Promote,
    /// Stop the promoted server in order, so that its data can be moved.
    StopReplica,
    /// Put the fenced data aside.
    PutAside,
    /// Give the promoted data the address that clients use.
    Move,
    /// Nothing is left: a server may be started at the address that clients use.
    Done,
}

/// Why a failover cannot continue, or must not begin.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Stuck {
    /// There is nothing to fail over to.
    #[error("there is no replica: start the lab with `lab up --replica`")]
    NoReplica,
    /// The replica does not run.
    #[error("the replica does not run: see `lab status` and `lab logs --service postgres-replica`")]
    ReplicaDown,
    /// The replica takes writes, and so could the primary.
    #[error(
        "the replica was promoted without `lab failover`, so that there are two servers that take writes, with different \
         data: keep the one that you need, and run `lab failover rebuild`"
    )]
    SplitBrain,
    /// Nobody saw how far the replica was.
    #[error(
        "nobody saw how far the replica was behind: what the primary accepted since then may be lost; --force accepts that"
    )]
    Unseen,
    /// The replica was last seen without a stream, or long before now.
    #[error(
        "the replica was last seen {age_seconds:.0} s ago, {}: what the primary accepted since then may be lost; --force \
         accepts that",
        how(.streaming)
    )]
    Stale {
        /// Seconds since it was seen.
        age_seconds: f64,
        /// Whether the stream arrived then.
        streaming: bool,
    },
    /// The replica was far behind.
    #[error(
        "the replica was {behind_bytes} bytes behind, more than {limit_bytes}: what the primary accepted there would be \
         lost; wait, or say --force"
    )]
    Behind {
        /// Bytes of write-ahead log that it had not received.
        behind_bytes: u64,
        /// The limit.
        limit_bytes: u64,
    },
    /// The fence cannot be removed any more.
    #[error("the replica was promoted, so the old primary must stay fenced: `lab up` finishes the failover")]
    Promoted,
    /// The fence cannot be removed now.
    #[error(
        "the replica was told to promote, and may take writes at any moment, so the old primary stays fenced: run `lab \
         failover` again, or `lab down` and then `lab failover abort`"
    )]
    Promoting,
    /// There is no fence.
    #[error("nothing is fenced")]
    NotFenced,
}

const fn how(streaming: &bool) -> &'static str {
    if *streaming { "while it received the stream" } else { "and it did not receive the stream" }
}

/// What was last seen of the replica while the primary answered.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Seen {
    /// Whether it received the stream.
    pub streaming: bool,
    /// Whether the primary waited for it before it confirmed a commit.
    pub sync: bool,
    /// Bytes of write-ahead log that the primary had written and the replica had not flushed to its disk.
    pub behind_bytes: u64,
}

/// How far behind a replica may be without `--force`, in bytes of write-ahead log: less than a second of the lab's load.
pub const MOST_BEHIND: u64 = 1 << 20;
/// How old the last look may be without `--force`, in seconds.
pub const MOST_STALE: f64 = 15.0;

/// Whether a failover may begin. `seen` is the last look and its age in seconds; `force` accepts a loss, but never a
/// replica that cannot be promoted.
///
/// # Errors
/// Why not.
pub fn admit(facts: Facts, seen: Option<(Seen, f64)>, force: bool) -> Result<(), Stuck> {
    if next(facts)? == Step::Done {
        // Of an earlier failover: nothing is there to fail over to.
        return Err(Stuck::NoReplica);
    }
    // Once the replica was told to promote, there is nothing to weigh any more.
    if force || facts.replica != Replica::Standby {
        return Ok(());
    }
    let Some((seen, age_seconds)) = seen else { return Err(Stuck::Unseen) };
    // A primary that waits for its replica has confirmed nothing that the replica does not have, however long ago that was.
    if seen.sync && seen.streaming {
        return Ok(());
    }
    if !seen.streaming || age_seconds > MOST_STALE {
        return Err(Stuck::Stale { age_seconds, streaming: seen.streaming });
    }
    if seen.behind_bytes > MOST_BEHIND {
        return Err(Stuck::Behind { behind_bytes: seen.behind_bytes, limit_bytes: MOST_BEHIND });
    }
    Ok(())
}

/// Whether nothing is lost with a primary that answered (`answered`) and was then stopped (`in_order`: not killed): it sends its
/// whole log before it ends, but only to a replica that receives the stream.
#[must_use]
pub fn is_complete(seen: Option<(Seen, f64)>, answered: bool, in_order: bool) -> bool {
    let streams = seen.is_some_and(|(seen, age_seconds)| seen.streaming && age_seconds <= MOST_STALE);
    answered && in_order && streams
}

/// The next step of a failover that was decided.
///
/// # Errors
/// Why there is none; nothing was changed then.
pub const fn next(facts: Facts) -> Result<Step, Stuck> {
    match (facts.replica, facts.primary) {
        // Moved: what has the address now is the promoted data.
        (Replica::Missing, Primary::Usable) if facts.aside && !facts.primary_runs => Ok(Step::Done),
        (Replica::Missing, _) => Err(Stuck::NoReplica),
        (Replica::Promoted, Primary::Usable) => Err(Stuck::SplitBrain),
        (Replica::Standby | Replica::Promoting, Primary::Usable | Primary::Missing)
            if !facts.replica_runs =>
        {
            Err(Stuck::ReplicaDown)
        }
        // Even one that still works on data which were moved.
        _ if facts.primary_runs => Ok(Step::Stop),
        (Replica::Standby | Replica::Promoting, Primary::Usable) => Ok(Step::Fence),
        (Replica::Standby | Replica::Promoting, Primary::Fenced) if !facts.replica_runs => {
            Err(Stuck::ReplicaDown)
        }
        (Replica::Standby | Replica::Promoting, Primary::Fenced | Primary::Missing) => Ok(Step::Promote),
        (Replica::Promoted, _) if facts.replica_runs => Ok(Step::StopReplica),
        (Replica::Promoted, Primary::Fenced) => Ok(Step::PutAside),
        (Replica::Promoted, Primary::Missing) => Ok(Step::Move),
    }
}

/// What a start of the lab has to do first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// Nothing.
    Go,
    /// A failover was interrupted after the promotion: the remaining steps, by [`next()`].
    Finish,
    /// The data are fenced and the replica is no primary: a person has to decide.
    Fenced,
    /// The replica was promoted beside a primary that is not fenced.
    SplitBrain,
}

/// What a start of the lab has to do first, while nothing runs.
#[must_use]
pub const fn at_start(facts: Facts) -> Start {
    match (facts.primary, facts.replica) {
        (Primary::Usable, Replica::Missing | Replica::Standby | Replica::Promoting) => Start::Go,
        (Primary::Usable, Replica::Promoted) => Start::SplitBrain,
        // Even if nothing lies aside: the data of the old primary may have been wiped.
        (Primary::Fenced | Primary::Missing, Replica::Promoted) => Start::Finish,
        (Primary::Fenced, _) => Start::Fenced,
        (Primary::Missing, _) if facts.aside => Start::Fenced,
        // A lab that never had data.
        (Primary::Missing, _) => Start::Go,
    }
}

/// Whether the fence may be removed, so that the old primary is the primary again.
///
/// # Errors
/// Why not.
pub const fn unfence(facts: Facts) -> Result<(), Stuck> {
    match (facts.primary, facts.replica) {
        (_, Replica::Promoted) => Err(Stuck::Promoted),
        (_, Replica::Promoting) => Err(Stuck::Promoting),
        (Primary::Fenced, _) => Ok(()),
        _ => Err(Stuck::NotFenced),
    }
}
