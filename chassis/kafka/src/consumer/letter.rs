//! A dead letter: the message as it was, with headers that say what is wrong with it and where it came from.

use std::collections::BTreeMap;

use rdkafka::error::RDKafkaErrorCode;

use super::{
    super::{InMessage, OutMessage, Producer, PublishError, redrive::TRUNCATED},
    verdict::Cause,
};
use chassis_telemetry::traces;

/// Longest `error.message` header, in characters.
const LONGEST_MESSAGE: usize = 1000;
/// Longest key of a letter that has to be shortened, in bytes.
const LONGEST_KEY: usize = 1024;

/// A message that is given up, and why.
pub(super) struct Letter<'a> {
    pub(super) message: &'a InMessage,
    pub(super) topic: &'static str,
    pub(super) reason: &'static str,
    pub(super) cause: &'a Cause,
}

impl Letter<'_> {
    /// Publishes the message. A message of the maximum size leaves no room for the headers: it is then sent without
    /// its body, because a letter that cannot be sent would stop its partition forever.
    pub(super) async fn publish(&self, producer: &Producer) -> Result<(), PublishError> {
        match producer.pass_on(self.whole()).await {
            Err(error)
                if error.source.rdkafka_error_code() == Some(RDKafkaErrorCode::MessageSizeTooLarge) =>
            {
                producer.pass_on(self.shortened()).await
            }
            result => result,
        }
    }

    fn whole(&self) -> OutMessage {
        let mut letter = self.message.to_topic(self.topic);
        letter.headers.extend(self.about());
        letter
    }

    /// Where the message is and what is wrong with it; the message itself stays on its topic for the topic's retention.
    fn shortened(&self) -> OutMessage {
        let mut headers = self.about();
        headers.insert(TRUNCATED.to_owned(), format!("{} bytes", self.message.payload.len()));
        let key = self.message.key.clone().filter(|key| key.len() <= LONGEST_KEY);
        OutMessage {
            topic: self.topic.to_owned(),
            key: key.unwrap_or_default(),
            headers,
            payload: Vec::new(),
        }
    }

    fn about(&self) -> BTreeMap<String, String> {
        let (message, cause) = (self.message, self.cause);
        let about = [
            ("error.reason", self.reason.to_owned()),
            ("error.message", cause.text.chars().take(LONGEST_MESSAGE).collect()),
            ("original.topic", message.topic.clone()),
            ("original.partition", message.partition.to_string()),
            ("original.offset", message.offset.to_string()),
        ];
        let sqlstate = cause.sqlstate.clone().map(|code| ("error.sqlstate", code));
        let about = about.into_iter().chain(sqlstate).map(|(name, value)| (name.to_owned(), value));
        // The span of the attempt becomes the parent: the dead letter is part of the message's trace.
        traces::inject().into_iter().chain(about).collect()
    }
}
