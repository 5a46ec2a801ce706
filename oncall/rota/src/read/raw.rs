//! The shape of `oncall.yaml`, field by field; every value knows its line. Unknown fields are refused.

use serde_saphyr::Spanned;
use yaml::{shape, shape::Word};

use crate::{ContactKind, rotation::Unit};

pub(crate) type Text = Spanned<String>;

shape! {
    /// Who is on call, and who is notified next.
    Document {
        /// Everybody who may be on call or be notified.
        people: Spanned<Vec<Spanned<Person>>>,
        /// Who is on call, and when.
        schedules: Spanned<Vec<Spanned<Schedule>>>,
        /// Who is notified of an incident, in which order.
        policies: Vec<Spanned<Policy>> = default,
        /// Where a step may send a signed POST.
        webhooks: Vec<Spanned<Webhook>> = default,
    }
}

shape! {
    /// What is read together with a file.
    Extra {
        /// More schedules, as in the file.
        schedules: Vec<Spanned<Schedule>> = default,
        /// More policies, as in the file.
        policies: Vec<Spanned<Policy>> = default,
    }
}

shape! {
    /// A person.
    Person {
        /// Unique name, in small letters, for schedules and commands.
        name: Text,
        /// How people are called on pages; the name if left out.
        title: Option<Text>,
        /// Time zone, such as Europe/Berlin.
        zone: Text,
        /// How the person is reached.
        contacts: Vec<Spanned<Contact>> = default,
    }
}

shape! {
    /// A way to reach a person.
    Contact {
        /// What it is.
        kind: Spanned<Word<ContactKind>>,
        /// Its address: the id of a Slack member, a URL, or the name of the secret with a routing key.
        to: Option<Text>,
    }
}

shape! {
    /// A place that a step may send a signed POST to.
    Webhook {
        /// Unique name.
        name: Text,
        /// Where it is.
        url: Text,
    }
}

shape! {
    /// Exactly one person is on call at each instant.
    Schedule {
        /// Unique name.
        name: Text,
        /// Time zone of times without an offset.
        zone: Text,
        /// Who is on call if nobody else is.
        fallback: Option<Text>,
        /// Rotations; a higher one wins while it counts.
        layers: Vec<Spanned<Layer>> = default,
        /// Changes for a span, such as a holiday.
        overrides: Vec<Spanned<Override>> = default,
        /// Spans with shifts of their own.
        temporary: Vec<Spanned<Temporary>> = default,
    }
}

shape! {
    /// A rotation, and when it counts.
    Layer {
        /// Unique in the schedule.
        name: Text,
        /// Time zone; that of the schedule if left out.
        zone: Option<Text>,
        /// Who takes turns.
        rotation: Spanned<Rotation>,
        /// When the layer counts; always if left out.
        only: Option<Spanned<Vec<Spanned<Window>>>>,
    }
}

shape! {
    /// Who takes turns.
    Rotation {
        /// What a turn is counted in.
        unit: Spanned<Word<Unit>>,
        /// How many of them a turn lasts; 1 if left out.
        every: Option<Spanned<u32>>,
        /// When the first person's turn begins, such as 2026-01-05T09:00.
        start: Text,
        /// In the order of their turns.
        people: Spanned<Vec<Text>>,
    }
}

shape! {
    /// A part of the week.
    Window {
        /// Days such as mon-fri or sun; all of them if left out.
        days: Option<Spanned<Vec<Text>>>,
        /// Begin, such as "09:00".
        from: Text,
        /// End; on the next day, if it is not after the begin.
        until: Text,
    }
}

shape! {
    /// A change for a span: add, remove, or replace with another person.
    Override {
        /// Who is notified too, beside the primary.
        add: Option<Text>,
        /// Who is not on call; the layer below takes over.
        remove: Option<Text>,
        /// Whose place somebody takes.
        replace: Option<Text>,
        /// Who takes it.
        with: Option<Text>,
        /// Begin.
        from: Text,
        /// End.
        until: Text,
    }
}

shape! {
    /// A span with shifts of its own.
    Temporary {
        /// Begin.
        from: Text,
        /// End.
        until: Text,
        /// Shifts that follow one another and cover the span.
        shifts: Spanned<Vec<Spanned<Fixed>>>,
    }
}

shape! {
    /// A shift.
    Fixed {
        /// Who is on call.
        person: Text,
        /// Begin.
        from: Text,
        /// End.
        until: Text,
    }
}

shape! {
    /// Who is notified of an incident, in which order.
    Policy {
        /// Unique name.
        name: Text,
        /// Severities that it is for, such as SEV-1; all that no other policy names if left out.
        severities: Vec<Text> = default,
        /// How many times the steps are repeated; 0 if left out.
        repeat: Option<Spanned<u32>>,
        /// After what time an acknowledged incident is notified again; never if left out.
        ack_expires: Option<Text>,
        /// What is done, in order.
        steps: Spanned<Vec<Spanned<Step>>>,
    }
}

shape! {
    /// A step of a policy: exactly one field.
    Step {
        /// How long to wait before the next step, such as 15m.
        wait: Option<Text>,
        /// A person to notify.
        notify_person: Option<Text>,
        /// A schedule: the person on call is notified.
        notify_schedule: Option<Text>,
        /// People to notify in turns, one for each incident.
        notify_round_robin: Option<Spanned<Vec<Text>>>,
        /// Waits until one of these windows is open.
        only_during: Option<Spanned<Gate>>,
        /// Waits until that many alerts have come within that time.
        only_after: Option<Spanned<Threshold>>,
        /// A webhook to send to.
        webhook: Option<Text>,
    }
}

shape! {
    /// When a policy continues.
    Gate {
        /// Time zone of the windows.
        zone: Text,
        /// At least one.
        windows: Spanned<Vec<Spanned<Window>>>,
    }
}

shape! {
    /// A number of alerts.
    Threshold {
        /// How many, at least 2.
        alerts: Spanned<u32>,
        /// Within what time, such as 10m.
        within: Text,
    }
}
