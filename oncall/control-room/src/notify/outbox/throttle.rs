//! How often one receiver is disturbed. Pure.

use std::collections::{HashMap, VecDeque};

use chrono::{DateTime, TimeDelta, Utc};

use crate::notify::channel::Channel;

/// Messages that share a limit, and may be joined.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Group {
    pub(super) channel: Channel,
    pub(super) whom: String,
}

impl Group {
    /// A person on one of the person's contact points.
    pub(super) fn person(channel: Channel, person: Option<&str>, address: Option<&str>) -> Self {
        let whom = format!("{} {}", person.unwrap_or_default(), address.unwrap_or_default());
        Self { channel, whom }
    }
}

/// When messages left, for each group with a limit.
#[derive(Debug)]
pub(super) struct Throttle {
    speed: u32,
    left: HashMap<Group, VecDeque<DateTime<Utc>>>,
}

impl Throttle {
    /// Nothing has left yet; limits to people are those of the production clock, divided by `speed`.
    pub(super) fn new(speed: u32) -> Self {
        Self { speed, left: HashMap::new() }
    }

    fn span(&self, channel: Channel, seconds: i32) -> TimeDelta {
        let span = TimeDelta::seconds(seconds.into());
        let speed = i32::try_from(self.speed.max(1)).unwrap_or(i32::MAX);
        if channel.is_person() { span / speed } else { span }
    }

    /// The longest time that any limit to people looks back.
    pub(super) fn memory(&self) -> TimeDelta {
        self.span(Channel::Slack, 900)
    }

    /// From when on the next message may leave; none if at any time.
    pub(super) fn free_at(&self, group: &Group) -> Option<DateTime<Utc>> {
        let left = self.left.get(group)?;
        let limits = group.channel.limits().iter();
        let frees = limits.filter_map(|(count, seconds)| {
            let first = left.len().checked_sub(*count)?;
            Some(*left.get(first)? + self.span(group.channel, *seconds))
        });
        frees.max()
    }

    /// A message leaves.
    pub(super) fn leaves(&mut self, group: Group, at: DateTime<Utc>) {
        let Some(most) = group.channel.limits().iter().map(|(count, _)| *count).max() else { return };
        let longest = self.memory().max(TimeDelta::seconds(1));
        self.left.retain(|_, left| left.back().is_some_and(|last| *last + longest > at));
        let left = self.left.entry(group).or_default();
        // Rows that left together have the same time.
        if left.back() != Some(&at) {
            left.push_back(at);
        }
        while left.len() > most {
            left.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(milliseconds: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::milliseconds(milliseconds)
    }

    fn ada() -> Group {
        Group::person(Channel::Slack, Some("ada"), Some("U1"))
    }

    #[test]
    fn a_person_gets_one_message_a_minute_and_15_in_15_minutes_of_the_clock() {
        for (speed, minute) in [(1, 60_000), (60, 1000)] {
            let mut throttle = Throttle::new(speed);
            assert_eq!(throttle.free_at(&ada()), None);
            throttle.leaves(ada(), at(0));
            assert_eq!(throttle.free_at(&ada()), Some(at(minute)));
            // Faster than the limit, so that the second limit is the one that counts.
            for turn in 1..15 {
                throttle.leaves(ada(), at(turn * minute / 2));
            }
            assert_eq!(throttle.free_at(&ada()), Some(at(15 * minute)));
        }
    }

    #[test]
    fn other_people_and_other_ways_are_not_held_up() {
        let mut throttle = Throttle::new(1);
        throttle.leaves(ada(), at(0));
        for other in [
            Group::person(Channel::Slack, Some("ben"), Some("U2")),
            Group::person(Channel::Bell, Some("ada"), None),
        ] {
            assert_eq!(throttle.free_at(&other), None, "{other:?}");
        }
    }

    #[test]
    fn what_left_together_counts_once_and_old_groups_are_forgotten() {
        let mut throttle = Throttle::new(60);
        for _ in 0..20 {
            throttle.leaves(ada(), at(0));
        }
        assert_eq!(throttle.free_at(&ada()), Some(at(1000)));
        throttle.leaves(Group::person(Channel::Bell, Some("ben"), None), at(20_000));
        assert_eq!(throttle.free_at(&ada()), None);
    }
}
