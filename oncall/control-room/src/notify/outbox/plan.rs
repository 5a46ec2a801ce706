//! What leaves now, and when to look again. Pure.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::{
    rows::Row,
    throttle::{Group, Throttle},
};
use crate::notify::channel::Manner;

/// How many rows one message takes.
const TOGETHER: usize = 50;

/// What leaves now.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Plan {
    /// One message each.
    pub(super) batches: Vec<Vec<Row>>,
    /// When the next one may be due; none if an event has to happen before.
    pub(super) next: Option<DateTime<Utc>>,
}

/// Decides what leaves at `now`: at most `free` messages.
pub(super) fn plan(rows: Vec<Row>, now: DateTime<Utc>, throttle: &mut Throttle, free: usize) -> Plan {
    let mut groups: BTreeMap<Group, Vec<Row>> = BTreeMap::new();
    for row in rows {
        groups.entry(row.group()).or_default().push(row);
    }
    let mut plan = Plan::default();
    for (group, mut rows) in groups {
        // One at a time; its end wakes the sender.
        if rows.iter().any(|row| row.busy) {
            continue;
        }
        let manner = group.channel.manner();
        if manner == Manner::InOrder {
            rows.truncate(1);
        }
        let Some(first) = rows.iter().map(|row| row.next_at).min() else { continue };
        let due = throttle.free_at(&group).map_or(first, |at| first.max(at));
        if due > now {
            plan.next = Some(plan.next.map_or(due, |next| next.min(due)));
        } else if plan.batches.len() < free {
            // Those that were never tried come along, even if they could wait for more.
            rows.retain(|row| row.attempts == 0 || row.next_at <= now);
            rows.truncate(TOGETHER);
            throttle.leaves(group, now);
            plan.batches.push(rows);
        }
    }
    plan
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use incident::{Id, Severity, State};

    use super::*;
    use crate::notify::{channel::Channel, message::Message};

    fn at(milliseconds: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::milliseconds(milliseconds)
    }

    fn row(id: i64, channel: Channel, next: i64) -> Row {
        let (severity, state) = (Severity::Sev2, State::Active);
        let (title, text, url, key) = (String::new(), String::new(), String::new(), id.to_string());
        let message = Message { title, text, url, incident: Some(Id(1)), severity, state, key: key.clone() };
        Row {
            id,
            key,
            incident: Some(Id(1)),
            step: None,
            person: Some("ada".to_owned()),
            channel,
            address: None,
            message,
            body: String::new(),
            busy: false,
            attempts: 0,
            next_at: at(next),
        }
    }

    fn ids(plan: &Plan) -> Vec<Vec<i64>> {
        plan.batches.iter().map(|batch| batch.iter().map(|row| row.id).collect()).collect()
    }

    #[test]
    fn messages_of_one_second_leave_together_and_later_ones_wait_for_the_throttle() {
        let mut throttle = Throttle::new(60);
        let rows = || vec![row(1, Channel::Desktop, 1000), row(2, Channel::Desktop, 1700)];
        let early = plan(rows(), at(999), &mut throttle, 9);
        assert_eq!((ids(&early), early.next), (Vec::new(), Some(at(1000))));
        assert_eq!(ids(&plan(rows(), at(1000), &mut throttle, 9)), [[1, 2]]);
        let later = plan(vec![row(3, Channel::Desktop, 1800)], at(1900), &mut throttle, 9);
        assert_eq!((ids(&later), later.next), (Vec::new(), Some(at(2000))));
    }

    #[test]
    fn an_acknowledgement_never_overtakes_its_trigger() {
        let mut throttle = Throttle::new(60);
        let trigger = Row { attempts: 1, ..row(1, Channel::Pagerduty, 5000) };
        let both = |trigger: Row| vec![trigger, row(2, Channel::Pagerduty, 0)];
        let waits = plan(both(trigger.clone()), at(1000), &mut throttle, 9);
        assert_eq!((ids(&waits), waits.next), (Vec::new(), Some(at(5000))));
        assert_eq!(ids(&plan(both(trigger.clone()), at(5000), &mut throttle, 9)), [[1]]);
        let busy = plan(both(Row { busy: true, ..trigger }), at(6000), &mut throttle, 9);
        assert_eq!((ids(&busy), busy.next), (Vec::new(), None));
    }

    #[test]
    fn webhooks_leave_each_by_itself_and_no_more_than_there_is_room_for() {
        let mut throttle = Throttle::new(60);
        let rows: Vec<Row> = (1..=5).map(|id| row(id, Channel::Webhook, 0)).collect();
        assert_eq!(plan(rows.clone(), at(0), &mut throttle, 9).batches.len(), 5);
        assert_eq!(plan(rows, at(0), &mut throttle, 2).batches.len(), 2);
    }

    #[test]
    fn one_that_is_tried_again_does_not_come_along_before_its_time() {
        let mut throttle = Throttle::new(60);
        let again = Row { attempts: 1, ..row(1, Channel::Slack, 9000) };
        assert_eq!(ids(&plan(vec![again, row(2, Channel::Slack, 0)], at(0), &mut throttle, 9)), [[2]]);
    }
}
