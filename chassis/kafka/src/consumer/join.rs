//! Decides when a join is lost: the client has asked to be in its group, has no partitions, and gets no answer. No I/O: it
//! hears of joins, and waits.
//!
//! librdkafka's mock cluster forgets a member whose session ends while it waits for others (ADR 0070), and librdkafka
//! would wait for the answer for five minutes. A member that has partitions keeps working on them during a join, and is left
//! alone. One that is told that it gets none has its answer.

use std::time::Duration;

use tokio::{sync::watch, time::Instant};

/// An answer may take at least this long: the first member of a group waits for others for 3 s, and longer while more of
/// them come.
const SHORTEST: Duration = Duration::from_secs(10);
/// The same in session timeouts. A broker waits for a member that is gone until its session has ended; the embedded broker
/// always waits for a second less than that.
const SESSIONS: u32 = 3;
/// How often the patience doubles while no join is answered. Apache Kafka waits for a member that is alive and does not join
/// again for its `max.poll.interval.ms`, five minutes by default; 2^5 times [`SHORTEST`] is longer.
const DOUBLINGS: u32 = 5;
/// Makes the patience no whole number of seconds. The embedded broker looks for ended sessions every second, and the
/// fraction of the second at which a join comes decides whether it is lost. The statistics that tell of a join come every
/// second, too: without this, the next join would come at the same fraction.
const OFF_BEAT: Duration = Duration::from_millis(500);

/// How long the answer to a join may take, with sessions of this length.
pub(super) fn patience(session: Duration) -> Duration {
    (session * SESSIONS).max(SHORTEST)
}

/// The join of one member. Heard of from the member's thread, watched by a task.
#[derive(Default)]
pub(super) struct Join(watch::Sender<Wait>);

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Wait {
    /// When the wait for an answer began; `None` if there is no such wait.
    since: Option<Instant>,
    /// Joins given up since the last answer.
    lost: u32,
}

impl Wait {
    /// When the answer is overdue.
    fn deadline(&self, patience: Duration) -> Option<Instant> {
        let patience = patience * (1_u32 << self.lost.min(DOUBLINGS)) + OFF_BEAT;
        self.since.map(|since| since + patience)
    }
}

impl Join {
    /// The client waits for an answer and has no partitions. Repeating it changes nothing.
    pub(super) fn waits(&self) {
        self.change(|wait| Wait { since: wait.since.or_else(|| Some(Instant::now())), ..wait });
    }

    /// The client does not wait, whatever ended it: a lost connection, the end of its subscription, another client.
    pub(super) fn over(&self) {
        self.change(|wait| Wait { since: None, ..wait });
    }

    /// The client was told which partitions it gets, if only that it gets none.
    pub(super) fn answered(&self) {
        self.change(|_| Wait::default());
    }

    fn change(&self, next: impl FnOnce(Wait) -> Wait) {
        self.0.send_if_modified(|wait| {
            let before = *wait;
            *wait = next(before);
            *wait != before
        });
    }

    /// Waits until an answer is overdue, and gives that join up; returns how long it was waited for. Each one in a row is
    /// waited for twice as long as the one before, until [`DOUBLINGS`].
    pub(super) async fn lost(&self, patience: Duration) -> Duration {
        let mut changes = self.0.subscribe();
        loop {
            let wait = *changes.borrow_and_update();
            let overdue = async {
                match wait.deadline(patience) {
                    Some(deadline) => tokio::time::sleep_until(deadline).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                // Cannot fail: the sender is here.
                _ = changes.changed() => {}
                () = overdue => {
                    if let Some(waited) = self.give_up(wait) {
                        return waited;
                    }
                }
            }
        }
    }

    /// Nothing if the answer came in this moment.
    fn give_up(&self, wait: Wait) -> Option<Duration> {
        let unanswered = self.0.send_if_modified(|now| {
            let unanswered = *now == wait;
            if unanswered {
                *now = Wait { since: None, lost: wait.lost.saturating_add(1) };
            }
            unanswered
        });
        wait.since.filter(|_| unanswered).map(|since| since.elapsed())
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::{sleep, timeout};

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(10);
    const HOUR: Duration = Duration::from_secs(3600);

    async fn is_lost(join: &Join, within: Duration) -> bool {
        timeout(within, join.lost(PATIENCE)).await.is_ok()
    }

    #[test]
    fn the_patience_is_three_sessions_and_no_less_than_ten_seconds() {
        assert_eq!(patience(Duration::from_millis(2500)), SHORTEST);
        assert_eq!(patience(Duration::from_secs(6)), Duration::from_secs(18));
    }

    #[tokio::test(start_paused = true)]
    async fn a_join_is_lost_when_its_answer_is_overdue() {
        let join = Join::default();
        assert!(!is_lost(&join, HOUR).await, "nothing was asked");
        join.waits();
        sleep(Duration::from_secs(6)).await;
        join.waits();
        assert!(!is_lost(&join, Duration::from_secs(4)).await);
        assert!(is_lost(&join, Duration::from_secs(1)).await, "the second word of it starts no new wait");
        assert!(!is_lost(&join, HOUR).await, "it is lost once");
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_or_the_end_of_the_wait_is_in_time_until_the_last_moment() {
        let ends: [fn(&Join); 2] = [Join::answered, Join::over];
        for end in ends {
            let join = Join::default();
            join.waits();
            assert!(!is_lost(&join, PATIENCE).await);
            end(&join);
            assert!(!is_lost(&join, HOUR).await);
            join.waits();
            assert!(!is_lost(&join, PATIENCE).await, "the next join has its own time");
            assert!(is_lost(&join, Duration::from_secs(1)).await);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn each_join_in_a_row_has_twice_the_time_until_one_is_answered() {
        let join = Join::default();
        let mut tenths = Vec::new();
        for _ in 0..7 {
            join.waits();
            tenths.push(join.lost(PATIENCE).await.as_millis() / 100);
            // The next client.
            join.over();
        }
        assert_eq!(tenths, [105, 205, 405, 805, 1605, 3205, 3205]);
        join.answered();
        join.waits();
        assert!(is_lost(&join, Duration::from_secs(11)).await);
    }
}
