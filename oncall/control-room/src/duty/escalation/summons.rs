//! One person is paged about an incident: a notification for each contact point, a line on the phone, an event.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use incident::{Incident, What};
use rota::{Contact, Rota, Webhook};

use crate::{
    Room,
    error::Result,
    notify::{Message, NewDelivery, queue},
    phone::{Page, PageKind, Phone},
    store::Writing,
};

/// How the timeline calls the way on which a person was paged: the contact points are in the deliveries.
const PHONE: &str = "phone";
/// Channel of a policy's webhook.
const SERVICE: &str = "service";
/// What the person who is paged does next.
pub(super) const ANSWER: &str = "Acknowledge it, or ask for the next level.";

/// What is the same for all people of a step.
pub(super) struct Summons<'a> {
    pub(super) room: &'a Room,
    pub(super) rota: &'a Rota,
    pub(super) incident: &'a Incident,
    /// Unique within the incident: the first part of the idempotency keys.
    pub(super) key: &'a str,
    /// The step of the escalation; none for a page by hand.
    pub(super) step: Option<&'a str>,
    pub(super) now: DateTime<Utc>,
    /// Why, if a person asked for it.
    pub(super) why: &'a str,
    /// What the receiver does next.
    pub(super) next: &'a str,
}

impl Summons<'_> {
    /// Writes the rows for a person who is paged; returns the events to write with them.
    pub(super) async fn write(&self, writing: &mut Writing<'_>, person: &str) -> Result<Vec<What>> {
        self.tell(writing, person).await?;
        let (person, step) = (person.to_owned(), self.step.map(str::to_owned));
        Ok(vec![What::Paged { person, channel: PHONE.to_owned(), step }])
    }

    /// Writes the rows for a person: the notifications, and the line on the phone.
    pub(super) async fn tell(&self, writing: &mut Writing<'_>, person: &str) -> Result<()> {
        // A rehearsal reaches the phone of this machine, and no person's device.
        let known = self.rota.people.get(person).filter(|_| !self.room.drills.rehearses(self.incident));
        let mut used: BTreeMap<&'static str, u32> = BTreeMap::new();
        // The desktop and the terminal of a container would only be failed deliveries.
        let usable = |contact: &&Contact| self.room.config.out.local_channels || !contact.kind.is_local();
        for contact in known.iter().flat_map(|person| &person.contacts).filter(usable) {
            let channel: &'static str = contact.kind.into();
            let count = used.entry(channel).or_default();
            *count += 1;
            // A second contact of the same kind needs a key of its own.
            let way = if *count == 1 { channel.to_owned() } else { format!("{channel}-{count}") };
            let key = format!("{}/{}/{person}/{way}", self.incident.id, self.key);
            let delivery = NewDelivery {
                message: message(self.room, self.incident, key.clone(), self.why, self.next),
                key,
                incident: Some(self.incident.id),
                step: self.step.map(str::to_owned),
                person: Some(person.to_owned()),
                channel: channel.to_owned(),
                address: contact.to.clone(),
                at: self.now,
            };
            queue(writing, &delivery).await?;
        }
        Phone::keep_in(writing, &self.page(person)).await
    }

    fn page(&self, person: &str) -> Page {
        let incident = self.incident;
        let why = match self.why.trim() {
            "" => String::new(),
            why => format!(" ({why})"),
        };
        Page {
            received_at: self.now,
            kind: PageKind::Person,
            incident: Some(incident.id),
            person: Some(person.to_owned()),
            channel: Some(PHONE.to_owned()),
            step: self.step.map(str::to_owned),
            severity: Some(incident.severity.to_string()),
            starts_at: Some(incident.opened_at),
            text: Some(format!("{}: {}{why}", incident.id, incident.title)),
            ..Page::default()
        }
    }
}

/// A webhook of a policy is called.
pub(super) async fn service(
    writing: &mut Writing<'_>,
    room: &Room,
    incident: &Incident,
    step: &str,
    webhook: &Webhook,
    now: DateTime<Utc>,
) -> Result<()> {
    if room.drills.rehearses(incident) {
        return Ok(());
    }
    let key = format!("{}/{step}/{SERVICE}/{}", incident.id, webhook.name);
    let delivery = NewDelivery {
        message: message(room, incident, key.clone(), "", ANSWER),
        key,
        incident: Some(incident.id),
        step: Some(step.to_owned()),
        person: None,
        channel: SERVICE.to_owned(),
        address: Some(webhook.url.clone()),
        at: now,
    };
    queue(writing, &delivery).await
}

fn message(room: &Room, incident: &Incident, key: String, why: &str, next: &str) -> Message {
    let services: Vec<&str> = incident.services.iter().map(String::as_str).collect();
    let affected =
        if services.is_empty() { String::new() } else { format!("Affected: {}. ", services.join(", ")) };
    let why = if why.trim().is_empty() { String::new() } else { format!("{}. ", why.trim()) };
    Message {
        title: format!("{} {}: {}", incident.severity, incident.id, incident.title),
        text: format!("{why}{affected}{next}"),
        url: format!("{}/incidents/{}", room.config.base(), incident.id),
        incident: Some(incident.id),
        severity: incident.severity,
        state: incident.state,
        key,
    }
}
