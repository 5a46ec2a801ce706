//! The outcome of each message: the one place that reads a [`Verdict`].
//!
//! ```text
//! Done          -> commit
//! Retry         -> again after a pause; after `max_attempts` dead letter `retries-exhausted`
//! Blocked       -> again forever, with growing pauses
//! DeadLetter    -> dead-letter topic, then commit
//! panic         -> as Retry, with the reason `handler-panicked`
//! bad signature -> as DeadLetter, without asking the handler
//! ```

use std::{
    panic::AssertUnwindSafe,
    sync::Arc,
    time::{Duration, Instant},
};

use futures::FutureExt;
use prometheus::IntCounter;
use tokio_util::sync::CancellationToken;

use super::{
    super::{InMessage, Producer, boundary::Boundary, headers, metrics::Consumed, spans},
    letter::Letter,
    subscription::{Handler, Subscription},
    verdict::{Cause, Verdict},
    window::Window,
};
use crate::catalogue::{CONSUMER_SLOW, ConsumerSlow};
use chassis_faults::{Attribute, FaultPoint, Faults};

/// Dead-letter reason of a message whose attempts are used up.
pub(super) const EXHAUSTED: &str = "retries-exhausted";
/// Dead-letter reason of a message on which the handler panicked each time.
pub(super) const PANICKED: &str = "handler-panicked";
/// Longest pause between two attempts of a blocked message.
pub(super) const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// Pause after a panic.
const PANIC_PAUSE: Duration = Duration::from_millis(100);

/// Decides the outcome of the messages of one consumer.
pub(super) struct Decider {
    subscription: Subscription,
    handler: Box<dyn Handler>,
    letters: Producer,
    consumed: Consumed,
    boundary: Arc<Boundary>,
    slow: Option<FaultPoint<ConsumerSlow>>,
    subject: &'static [Attribute],
}

/// What an attempt came to.
enum Next<'a> {
    /// Decided for good, and counted here.
    Finished(&'a IntCounter),
    /// Another attempt; `exhausted` is the reason of the dead letter when there is none left.
    Again { after: Duration, cause: Cause, exhausted: &'static str },
    /// Another attempt, without a limit.
    Blocked { after: Duration },
}

impl Decider {
    pub(super) fn new(
        subscription: Subscription,
        handler: impl Handler,
        letters: Producer,
        consumed: Consumed,
        boundary: Arc<Boundary>,
        faults: &Faults,
    ) -> Self {
        let handler = Box::new(handler);
        let slow = faults.find(&CONSUMER_SLOW);
        Self { subscription, handler, letters, consumed, boundary, slow, subject: faults.subject() }
    }

    /// Handles `message` until it is settled; `false` if stopped between two attempts.
    pub(super) async fn settle(
        &self,
        message: &InMessage,
        window: &Window,
        stop: &CancellationToken,
    ) -> bool {
        let (topic, partition, offset) = (&message.topic, message.partition, message.offset);
        let (mut failed, mut blocked) = (0, 0_u32);
        let mut stuck = None;
        loop {
            let attempt =
                Attempt { last: failed + 1 >= self.subscription.max_attempts, blocked_before: blocked > 0 };
            let pause = match self.attempt(message, window, &attempt).await {
                Next::Finished(counter) => {
                    counter.inc();
                    if blocked > 0 {
                        tracing::info!(topic, partition, offset, attempts = blocked, "partition continues");
                    }
                    return true;
                }
                Next::Again { after, .. } => {
                    failed += 1;
                    after
                }
                Next::Blocked { after } => {
                    blocked = blocked.saturating_add(1);
                    after.saturating_mul(1 << (blocked - 1).min(16)).min(LONGEST_PAUSE.max(after))
                }
            };
            self.consumed.retries.inc();
            stuck.get_or_insert_with(|| window.stick());
            if stop.run_until_cancelled(tokio::time::sleep(pause)).await.is_none() {
                return false;
            }
        }
    }

    /// One attempt in its span and scope; the last one ends in a dead letter instead of another.
    async fn attempt(&self, message: &InMessage, window: &Window, attempt: &Attempt) -> Next<'_> {
        let place = spans::process(message, self.subscription.group);
        let work = async {
            let strike = self.slow.as_ref().and_then(FaultPoint::strike);
            // One at a time: the window of concurrent messages must not make the slow partition faster.
            let busy = if strike.is_some() { Some(window.busy.lock().await) } else { None };
            let start = Instant::now();
            if let Some(strike) = strike {
                tokio::time::sleep(strike.params.delay).await;
            }
            drop(busy);
            let next = match self.verify_and_handle(message, attempt).await {
                Next::Again { cause, exhausted, .. } if attempt.last => {
                    self.give_up(message, exhausted, &cause, attempt).await
                }
                next => next,
            };
            if let Next::Again { cause, .. } = &next {
                note(message, cause, "message is tried again");
            }
            self.consumed.duration.observe(start.elapsed().as_secs_f64());
            next
        };
        headers::scope(&message.topic, &message.headers, self.subject).enter(place.run(work)).await
    }

    /// Calls the handler if one of the services signed the message; a panic is one more kind of failure and does not end the
    /// partition.
    async fn verify_and_handle(&self, message: &InMessage, attempt: &Attempt) -> Next<'_> {
        if let Err(refused) = self.boundary.keys.verify(message) {
            return self.give_up(message, refused.reason, &refused.cause.into(), attempt).await;
        }
        self.boundary.recent.remember(message.payload.len(), || message.to_topic(&message.topic));
        let verdict = AssertUnwindSafe(self.handler.handle(message)).catch_unwind().await;
        let span = tracing::Span::current();
        match verdict {
            Ok(Verdict::Done) => Next::Finished(&self.consumed.done),
            Ok(Verdict::Retry { after, cause }) => {
                spans::fail(&span, "retry");
                Next::Again { after, cause, exhausted: EXHAUSTED }
            }
            Ok(Verdict::Blocked { after, cause }) => {
                spans::fail(&span, "blocked");
                blocked(message, after, &cause, attempt)
            }
            Ok(Verdict::DeadLetter { reason, cause }) => self.give_up(message, reason, &cause, attempt).await,
            Err(panic) => {
                spans::fail(&span, "panic");
                Next::Again { after: PANIC_PAUSE, cause: text_of(&*panic).into(), exhausted: PANICKED }
            }
        }
    }

    /// Publishes the message to the dead-letter topic; blocked while that fails.
    async fn give_up(
        &self,
        message: &InMessage,
        reason: &'static str,
        cause: &Cause,
        attempt: &Attempt,
    ) -> Next<'_> {
        spans::fail(&tracing::Span::current(), reason);
        let letter = Letter { message, topic: self.subscription.dead_letters, reason, cause };
        if let Err(error) = letter.publish(&self.letters).await {
            let cause = format!("dead letter not published: {}", error.source).into();
            return blocked(message, PANIC_PAUSE, &cause, attempt);
        }
        let (topic, partition, offset) = (&message.topic, message.partition, message.offset);
        let Cause { text: cause, sqlstate } = cause;
        tracing::error!(topic, partition, offset, reason, cause, sqlstate, "message given up");
        self.consumed.given_up(reason);
        Next::Finished(&self.consumed.dead_letter)
    }
}

/// State carried over from earlier attempts.
struct Attempt {
    /// No attempt follows if this one fails.
    last: bool,
    /// The waiting partition was already logged.
    blocked_before: bool,
}

fn blocked<'a>(message: &InMessage, after: Duration, cause: &Cause, attempt: &Attempt) -> Next<'a> {
    if !attempt.blocked_before {
        note(message, cause, "partition waits");
    }
    Next::Blocked { after }
}

/// Logs, inside the attempt's span and so with its trace id, why the message is not settled yet.
fn note(message: &InMessage, cause: &Cause, what: &'static str) {
    let InMessage { topic, partition, offset, .. } = message;
    let Cause { text: cause, sqlstate } = cause;
    tracing::warn!(topic, partition, offset, cause, sqlstate, "{what}");
}

fn text_of(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().map(str::to_owned);
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "panic".to_owned())
}
