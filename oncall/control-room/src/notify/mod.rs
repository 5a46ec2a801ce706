//! The outbox of notifications, and war rooms.
//!
//! * `message` -- what is sent, and [`queue`], which hands it over in the caller's transaction.
//! * `outbox` -- the sender: joins, throttles, tries again, settles what a crash left behind.
//! * `follow` -- what happens to incidents, told to war rooms, an incoming webhook and PagerDuty; `circulate` -- the postmortem
//!   of one that closes.
//! * `rooms` -- war rooms: a thread on the incident's page, or a channel of Slack. `talk` -- what is said there.
//! * `slack`, `pagerduty`, `webhook`, `local` -- the ways out; `http` and `curl` -- how they call, in an `exchange`.
//!
//! At most once for people's devices, at least once with a key for systems: docs/adr/0037-the-outbox-of-notifications.md.

mod channel;
mod circulate;
mod curl;
mod exchange;
mod failure;
mod follow;
mod http;
mod local;
mod message;
mod outbox;
mod pagerduty;
mod rooms;
mod slack;
mod talk;
mod webhook;

use std::{collections::BTreeSet, sync::Arc};

use chrono::{TimeDelta, Utc};
use incident::Id;
use parking_lot::Mutex;
use secrecy::SecretString;
use tokio::sync::mpsc;

pub use self::message::{DeliveryRow, Message, NewDelivery, RoomMessage, WarRoom, queue};
use self::{channel::Channel, http::Client, pagerduty::PagerDuty, slack::Slack};
use crate::{
    Room,
    bus::Bus,
    config::RoomConfig,
    error::{Error, Result},
    store::Store,
};

/// Longest message in a war room, in characters.
const LONGEST: usize = 4000;
/// How long a failure counts as one, in minutes of the production clock.
const RECENT: i64 = 15;

/// Notifications and war rooms. Cheap to clone.
#[derive(Clone)]
pub struct Notify(Arc<Inner>);

struct Inner {
    store: Store,
    parts: Parts,
    speed: u32,
    changed: mpsc::UnboundedSender<Id>,
    /// Taken by [`start`].
    follows: Mutex<Option<mpsc::UnboundedReceiver<Id>>>,
    /// Channels of this machine that have failed.
    absent: Mutex<BTreeSet<Channel>>,
}

/// What is needed to send.
struct Parts {
    /// The address of the pages.
    base: String,
    client: Client,
    slack: Option<Slack>,
    announcements: Option<SecretString>,
    pagerduty: PagerDuty,
    webhook_secret: Option<SecretString>,
}

/// Starts the sender, the follower of the journal and the keeper of war rooms.
pub fn start(room: &Room) {
    room.chassis.spawn(outbox::run(room.clone()));
    room.chassis.spawn(follow::run(room.clone()));
    if let Some(changed) = room.notify.0.follows.lock().take() {
        room.chassis.spawn(rooms::run(room.clone(), changed));
    }
}

impl Notify {
    /// With nothing running yet.
    ///
    /// # Errors
    /// [`chassis_core::config::Invalid`], naming the entry of `PAGERDUTY_KEYS` that is wrong.
    pub fn open(store: &Store, _bus: &Bus, config: &RoomConfig) -> anyhow::Result<Self> {
        let (out, client) = (&config.out, Client::new());
        let slack = out.slack_token.clone();
        let parts = Parts {
            base: config.base(),
            slack: slack.map(|token| Slack::new(client.clone(), &out.slack_url, token)),
            client,
            announcements: out.slack_webhook.clone(),
            pagerduty: PagerDuty::new(&out.pagerduty_url, &out.pagerduty_keys)?,
            webhook_secret: out.webhook_secret.clone(),
        };
        let (changed, follows) = mpsc::unbounded_channel();
        Ok(Self(Arc::new(Inner {
            store: store.clone(),
            parts,
            speed: config.speed(),
            changed,
            follows: Mutex::new(Some(follows)),
            absent: Mutex::default(),
        })))
    }

    /// The deliveries of an incident, the oldest first.
    ///
    /// # Errors
    /// The store's.
    pub async fn deliveries(&self, incident: Id) -> Result<Vec<DeliveryRow>> {
        outbox::rows::of_incident(&self.0.store, incident).await
    }

    /// How many deliveries are being tried again, or have failed in the last 15 minutes of the production clock. Those to
    /// this machine's own desktop and terminal do not count.
    ///
    /// # Errors
    /// The store's.
    pub async fn failing(&self) -> Result<i64> {
        let within = TimeDelta::minutes(RECENT) / i32::try_from(self.0.speed.max(1)).unwrap_or(i32::MAX);
        outbox::rows::failing(&self.0.store, Utc::now(), within).await
    }

    /// What was said in the war room of an incident after the message with this number, the oldest first; at most 500.
    ///
    /// # Errors
    /// The store's.
    pub async fn thread(&self, incident: Id, after: i64) -> Result<Vec<RoomMessage>> {
        talk::thread(&self.0.store, incident, after).await
    }

    /// Says something in the war room of an incident, wherever it is. An incident without one has the thread of its page.
    ///
    /// # Errors
    /// [`Error::Field`] for an empty or too long text, [`Error::NoIncident`], or the store's.
    pub async fn say(&self, room: &Room, incident: Id, author: &str, text: &str) -> Result<RoomMessage> {
        let text = text.trim();
        let length = text.chars().count();
        if length == 0 || length > LONGEST {
            return Err(Error::field("text", format!("expected 1 to {LONGEST} characters, found {length}")));
        }
        let incident = room.desk.get(incident).await?;
        let mut writing = room.store.begin().await?;
        let said = talk::post(&mut writing, &incident, &self.0.parts.base, Utc::now(), author, text).await?;
        writing.commit(&room.bus).await?;
        Ok(said)
    }

    /// The war room of an incident, if it has one.
    ///
    /// # Errors
    /// The store's.
    pub async fn war_room(&self, incident: Id) -> Result<Option<WarRoom>> {
        talk::war_room(&self.0.store, incident).await
    }

    fn parts(&self) -> &Parts {
        &self.0.parts
    }

    /// The incident has changed: its war room follows.
    fn changed(&self, id: Id) {
        // Nobody follows after shutdown.
        let _ = self.0.changed.send(id);
    }

    /// Whether this is the first failure on this channel since the start.
    fn is_first_failure(&self, channel: Channel) -> bool {
        self.0.absent.lock().insert(channel)
    }
}
