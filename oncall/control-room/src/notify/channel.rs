//! The channels through which people and systems are notified, and what each of them allows.

/// A way.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    strum::Display,
    strum::EnumString,
    strum::IntoStaticStr,
    strum::VariantArray,
)]
#[strum(serialize_all = "snake_case")]
pub(crate) enum Channel {
    /// A direct message to a person.
    Slack,
    /// A notification on this machine's desktop.
    Desktop,
    /// The bell of this machine's terminal.
    Bell,
    /// A signed POST to a URL of a person.
    Webhook,
    /// A signed POST to a URL of an escalation policy.
    Service,
    /// The PagerDuty Events API v2.
    Pagerduty,
    /// The war room, if it is not on this program's own page.
    Room,
    /// An incoming webhook of Slack.
    Announcement,
}

/// How messages that wait for the same receiver leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// All of them in one message.
    Together,
    /// One after the other, the oldest first.
    InOrder,
    /// Each by itself.
    Alone,
}

impl Channel {
    /// Whether the receiver is a program that recognizes a repetition by its key. A person's device does not: what may have
    /// arrived there is never sent again.
    pub(crate) const fn is_system(self) -> bool {
        matches!(self, Self::Webhook | Self::Service | Self::Pagerduty)
    }

    /// Whether it reaches a person directly: such messages are throttled.
    pub(crate) const fn is_person(self) -> bool {
        matches!(self, Self::Slack | Self::Desktop | Self::Bell)
    }

    /// Whether it is on the machine itself. A machine without a desktop or a terminal is normal.
    pub(crate) const fn is_local(self) -> bool {
        matches!(self, Self::Desktop | Self::Bell)
    }

    /// How its messages leave.
    pub(crate) const fn manner(self) -> Manner {
        match self {
            Self::Slack | Self::Desktop | Self::Bell | Self::Room => Manner::Together,
            // An acknowledgement that overtakes its trigger is dropped, and the trigger pages.
            Self::Pagerduty | Self::Announcement => Manner::InOrder,
            Self::Webhook | Self::Service => Manner::Alone,
        }
    }

    /// How many messages may go to one receiver within how many seconds; those to people in seconds of the production clock.
    pub(crate) const fn limits(self) -> &'static [(usize, i32)] {
        match self {
            // As GoAlert limits any contact method, and its text messages.
            Self::Slack | Self::Desktop | Self::Bell => &[(1, 60), (15, 900)],
            // Slack takes one message per second for each channel.
            Self::Room | Self::Announcement => &[(1, 1)],
            Self::Webhook | Self::Service | Self::Pagerduty => &[],
        }
    }
}

#[cfg(test)]
mod tests {
    use rota::ContactKind;

    use super::*;

    #[test]
    fn every_kind_of_contact_is_a_channel() {
        for kind in [
            ContactKind::Slack,
            ContactKind::Webhook,
            ContactKind::Pagerduty,
            ContactKind::Desktop,
            ContactKind::Bell,
        ] {
            let name: &'static str = kind.into();
            let channel: Channel = name.parse().unwrap();
            assert_eq!((channel.to_string().as_str(), channel.is_local()), (name, kind.is_local()));
        }
    }

    #[test]
    fn nothing_that_reaches_a_person_is_repeated() {
        for channel in <Channel as strum::VariantArray>::VARIANTS {
            assert!(!(channel.is_person() && channel.is_system()), "{channel}");
        }
    }
}
