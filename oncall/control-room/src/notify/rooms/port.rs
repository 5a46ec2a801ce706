//! The port of war rooms, and its two implementations: a thread on the incident's page, and a channel of Slack.

use std::future::Future;

use incident::{Id, Incident};

use crate::notify::{
    failure::Failure,
    slack::{Slack, blocks::Payload},
};

/// A war room that was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Opened {
    /// What it is called there.
    pub(crate) channel: String,
    /// Where people find it.
    pub(crate) url: String,
}

/// A place where people talk about incidents. Every call may be repeated after a failure.
pub(crate) trait WarRoomPort: Sync {
    /// Opens a room; again if an earlier attempt did, the same one.
    fn open(&self, incident: &Incident) -> impl Future<Output = Result<Opened, Failure>> + Send;
    /// Copies to it what was said; it is kept as messages of this program in any case.
    fn post(&self, channel: &str, payload: &Payload) -> impl Future<Output = Result<(), Failure>> + Send;
    /// Shows the summary; in the place of the earlier one, if there is one. Answers what names it.
    fn summary(
        &self,
        channel: &str,
        earlier: Option<&str>,
        payload: &Payload,
    ) -> impl Future<Output = Result<Option<String>, Failure>> + Send;
    /// Shows the topic.
    fn topic(&self, channel: &str, topic: &str) -> impl Future<Output = Result<(), Failure>> + Send;
    /// Brings somebody in.
    fn invite(&self, channel: &str, member: &str) -> impl Future<Output = Result<(), Failure>> + Send;
    /// Ends it; what was said stays.
    fn archive(&self, channel: &str) -> impl Future<Output = Result<(), Failure>> + Send;
}

/// A thread on the incident's page. The page shows title, state and roles itself, everybody can see it, and messages are
/// there as soon as they are kept: nothing has to be copied.
pub(crate) struct Thread {
    /// The address of the pages.
    pub(crate) base: String,
}

impl Thread {
    /// Where the thread of an incident is.
    pub(crate) fn url(&self, id: Id) -> String {
        format!("{}/incidents/{id}#war-room", self.base)
    }
}

impl WarRoomPort for Thread {
    async fn open(&self, incident: &Incident) -> Result<Opened, Failure> {
        Ok(Opened { channel: incident.id.to_string(), url: self.url(incident.id) })
    }

    async fn post(&self, _: &str, _: &Payload) -> Result<(), Failure> {
        Ok(())
    }

    async fn summary(&self, _: &str, _: Option<&str>, _: &Payload) -> Result<Option<String>, Failure> {
        Ok(None)
    }

    async fn topic(&self, _: &str, _: &str) -> Result<(), Failure> {
        Ok(())
    }

    async fn invite(&self, _: &str, _: &str) -> Result<(), Failure> {
        Ok(())
    }

    async fn archive(&self, _: &str) -> Result<(), Failure> {
        Ok(())
    }
}

impl WarRoomPort for Slack {
    async fn open(&self, incident: &Incident) -> Result<Opened, Failure> {
        // With its time, so that it is not the channel of another lab's first incident.
        let opened = incident.opened_at.format("%Y%m%d-%H%M%S");
        let name = format!("{}-{opened}", incident.id).to_lowercase();
        let channel = self.create(&name).await.map_err(Failure::harmless)?;
        let url = format!("https://slack.com/app_redirect?channel={channel}");
        Ok(Opened { channel, url })
    }

    async fn post(&self, channel: &str, payload: &Payload) -> Result<(), Failure> {
        Slack::post(self, channel, payload).await.map(|_| ())
    }

    async fn summary(
        &self,
        channel: &str,
        earlier: Option<&str>,
        payload: &Payload,
    ) -> Result<Option<String>, Failure> {
        match earlier {
            Some(ts) => self.update(channel, ts, payload).await.map(|()| None),
            None => Slack::post(self, channel, payload).await.map(Some),
        }
    }

    async fn topic(&self, channel: &str, topic: &str) -> Result<(), Failure> {
        Slack::topic(self, channel, topic).await
    }

    async fn invite(&self, channel: &str, member: &str) -> Result<(), Failure> {
        Slack::invite(self, channel, member).await
    }

    async fn archive(&self, channel: &str) -> Result<(), Failure> {
        Slack::archive(self, channel).await
    }
}
