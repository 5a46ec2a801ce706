//! The consumer: one thread that talks to the group, one task for each assigned partition, one task that commits.
//!
//! Partitions are worked on at once, the messages of one key in order. A message is read ahead by librdkafka (bounded), handed
//! to the handler, decided (`decide.rs`) and only then marked as done; marks are committed regularly (`commits.rs`), and
//! synchronously before a partition is given away. So nothing is lost, and after a crash at most that interval comes again.
//!
//! This file puts the parts together; none of them knows it.

use std::sync::Arc;

use chassis_telemetry::Chassis;
use tokio::runtime::Handle;

use super::{Producer, boundary::Boundary, signing};

mod assignment;
mod commits;
mod context;
mod decide;
mod faults;
mod join;
mod lag;
mod letter;
mod life;
mod member;
mod offsets;
mod partition;
mod rejoin;
mod session;
mod subscription;
mod verdict;
mod watchdog;
mod watermarks;
mod window;

use self::{assignment::Assignment, commits::Commits, decide::Decider, member::Member};
pub use self::{
    subscription::{Handler, Subscription},
    verdict::{Cause, Verdict},
};

/// Reasons for dead letters of the consumer itself; their series exist from the start.
const REASONS: [&str; 4] = [decide::EXHAUSTED, decide::PANICKED, signing::UNSIGNED, signing::BAD_SIGNATURE];

/// Starts a consumer; `letters` publishes what is given up.
pub(super) fn start(
    subscription: Subscription,
    handler: impl Handler,
    letters: Producer,
    boundary: &Arc<Boundary>,
    chassis: &Chassis,
) -> anyhow::Result<()> {
    let Subscription { group, topic, dead_letters, .. } = subscription;
    let reasons = [REASONS.as_slice(), subscription.reasons].concat();
    let consumed = boundary.metrics.consumed(topic, &reasons);
    let _ = boundary.metrics.published(dead_letters);
    boundary.recent.know(topic);

    let rebalances = boundary.metrics.rebalances(group);
    let decider =
        Decider::new(subscription, handler, letters, consumed, Arc::clone(boundary), &chassis.faults);
    let commits = Arc::new(Commits::new(topic, chassis.faults.find(&crate::catalogue::COMMIT_SKIP)));
    let assignment =
        Assignment::new(topic, Arc::new(decider), Arc::clone(&commits), rebalances, Handle::current());
    let member = Member {
        subscription,
        session: Arc::default(),
        assignment: Arc::new(assignment),
        commits,
        replacements: boundary.metrics.replacements(group),
        boundary: Arc::clone(boundary),
    };
    life::start(member.clone(), chassis)?;
    let shutdown = &chassis.shutdown;
    chassis.spawn(lag::watch(member.clone(), shutdown.clone()));
    chassis.spawn(rejoin::watch(member.clone(), shutdown.clone()));
    chassis.spawn(commits::regularly(
        Arc::clone(&member.session),
        Arc::clone(&member.commits),
        shutdown.clone(),
    ));
    faults::start(&member, chassis);
    Ok(())
}
