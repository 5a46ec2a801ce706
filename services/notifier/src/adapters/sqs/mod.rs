//! The queues in SQS, by its JSON protocol (AWS JSON 1.0): six calls over HTTP, signed. The queues are created when they are first
//! used, and again when they are gone: an emulator forgets them when it stops.

mod error;
mod sign;

use std::{sync::Arc, time::Duration};

use chrono::Utc;
use reqwest::Client;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Mutex;
use url::Url;

pub use self::error::SqsError;
use self::{
    error::{code_of, unreadable},
    sign::{Account, Call, headers},
};
use crate::{
    config::NotifierConfig,
    domain::{DEAD_LETTERS, Notification, Queue},
    metrics::NotifierMetrics,
};

/// How long SQS holds a request for messages while there are none, in seconds.
const WAIT: u64 = 1;
/// Longest wait for an answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// Most messages of one answer: the largest number that SQS takes.
pub const BATCH: u64 = 10;
/// The call that deletes.
const DELETE: &str = "DeleteMessageBatch";

/// A message of a queue.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Received {
    /// What was sent.
    pub body: String,
    /// What it is deleted with.
    #[serde(rename = "ReceiptHandle")]
    pub receipt: String,
}

/// The queues. Cheap to clone.
#[derive(Clone)]
pub struct SqsQueues {
    inner: Arc<Inner>,
}

struct Inner {
    http: Client,
    endpoint: Url,
    host: String,
    account: Account,
    visibility: Duration,
    attempts: u16,
    /// `None` until the queues were created. Held while they are: the others wait for it.
    urls: Mutex<Option<Arc<Urls>>>,
    metrics: NotifierMetrics,
}

/// Where the queues are, as SQS named them.
struct Urls {
    email: String,
    push: String,
    dead_letters: String,
}

impl Urls {
    /// `None` is the dead-letter queue.
    fn of(&self, queue: Option<Queue>) -> &str {
        match queue {
            Some(Queue::Email) => &self.email,
            Some(Queue::Push) => &self.push,
            None => &self.dead_letters,
        }
    }
}

impl SqsQueues {
    /// At the endpoint of `config`; asks nothing yet.
    ///
    /// # Errors
    /// When there can be no HTTP client.
    pub fn new(config: &NotifierConfig, metrics: NotifierMetrics) -> anyhow::Result<Self> {
        let endpoint = config.sqs_endpoint.clone();
        let name = endpoint.host_str().unwrap_or_default();
        let host = endpoint.port().map_or_else(|| name.to_owned(), |port| format!("{name}:{port}"));
        let http = Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).timeout(PATIENCE);
        let account = Account {
            id: config.access_key_id.clone(),
            secret: config.secret_access_key.clone(),
            region: config.region.clone(),
        };
        let inner = Inner {
            http: http.build()?,
            endpoint,
            host,
            account,
            visibility: config.visibility,
            attempts: config.attempts,
            urls: Mutex::new(None),
            metrics,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Puts a notification into a queue.
    ///
    /// # Errors
    /// [`SqsError`]; it may be in the queue nevertheless.
    pub async fn send(&self, queue: Queue, notification: &Notification) -> Result<(), SqsError> {
        let body =
            serde_json::to_string(notification).map_err(|error| SqsError::Silent(error.to_string()))?;
        let urls = self.inner.urls().await?;
        let asked = json!({ "QueueUrl": urls.of(Some(queue)), "MessageBody": body });
        self.inner.call("SendMessage", &asked).await.map(drop)
    }

    /// Messages that wait, at most `most` and at most [`BATCH`]; none after a second without any. Nobody else sees them for the
    /// visibility timeout. `None` is the dead-letter queue, here and below.
    ///
    /// # Errors
    /// [`SqsError`].
    pub async fn receive(&self, queue: Option<Queue>, most: u64) -> Result<Vec<Received>, SqsError> {
        /// Without the field if there are none.
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Batch {
            #[serde(default)]
            messages: Vec<Received>,
        }
        let urls = self.inner.urls().await?;
        let most = most.min(BATCH);
        let asked =
            json!({ "QueueUrl": urls.of(queue), "MaxNumberOfMessages": most, "WaitTimeSeconds": WAIT });
        let answer = self.inner.call("ReceiveMessage", &asked).await?;
        let batch: Batch =
            serde_json::from_value(answer).map_err(|error| SqsError::Silent(error.to_string()))?;
        Ok(batch.messages)
    }

    /// Longest time for a delivery: the last fifth of the visibility timeout is for the deletion of what was delivered.
    #[must_use]
    pub fn patience(&self) -> Duration {
        self.inner.visibility * 4 / 5
    }

    /// Deletes messages by their receipts, at most ten. One that is not deleted comes back.
    ///
    /// # Errors
    /// [`SqsError`], even if some of them were deleted.
    pub async fn delete(&self, queue: Option<Queue>, receipts: &[String]) -> Result<(), SqsError> {
        let urls = self.inner.urls().await?;
        let entry =
            |(at, receipt): (usize, &String)| json!({ "Id": at.to_string(), "ReceiptHandle": receipt });
        let entries: Vec<Value> = receipts.iter().enumerate().map(entry).collect();
        let asked = json!({ "QueueUrl": urls.of(queue), "Entries": entries });
        let answer = self.inner.call(DELETE, &asked).await?;
        // A batch succeeds even if none of its entries does.
        match answer["Failed"][0]["Code"].as_str() {
            Some(code) => Err(SqsError::Refused { action: DELETE, code: code.to_owned() }),
            None => Ok(()),
        }
    }

    /// Messages in a queue, those that are being delivered included.
    ///
    /// # Errors
    /// [`SqsError`].
    pub async fn depth(&self, queue: Option<Queue>) -> Result<i64, SqsError> {
        const NAMES: [&str; 2] = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"];
        let urls = self.inner.urls().await?;
        let asked = json!({ "QueueUrl": urls.of(queue), "AttributeNames": NAMES });
        let answer = self.inner.call("GetQueueAttributes", &asked).await?;
        let count = |name: &str| attribute(&answer, name)?.parse::<i64>().map_err(|_| unreadable(name));
        NAMES.iter().map(|name| count(name)).sum()
    }
}

impl Inner {
    async fn urls(&self) -> Result<Arc<Urls>, SqsError> {
        let mut known = self.urls.lock().await;
        if let Some(urls) = &*known {
            return Ok(Arc::clone(urls));
        }
        let made = Arc::new(self.create().await?);
        *known = Some(Arc::clone(&made));
        Ok(made)
    }

    /// Creates the queues, or finds them there; then sets what is configured. SQS refuses to create a queue that exists with other
    /// attributes, so a new configuration would never get one.
    async fn create(&self) -> Result<Urls, SqsError> {
        let dead_letters = self.create_one(DEAD_LETTERS).await?;
        let asked = json!({ "QueueUrl": dead_letters, "AttributeNames": ["QueueArn"] });
        let answer = self.ask("GetQueueAttributes", &asked).await?;
        let redrive = json!({
            "deadLetterTargetArn": attribute(&answer, "QueueArn")?,
            "maxReceiveCount": self.attempts,
        });
        let attributes = json!({
            "VisibilityTimeout": self.visibility.as_secs().to_string(),
            "RedrivePolicy": redrive.to_string(),
        });
        let email = self.create_one(Queue::Email.name()).await?;
        let push = self.create_one(Queue::Push.name()).await?;
        for url in [&email, &push] {
            self.ask("SetQueueAttributes", &json!({ "QueueUrl": url, "Attributes": attributes })).await?;
        }
        Ok(Urls { email, push, dead_letters })
    }

    async fn create_one(&self, name: &str) -> Result<String, SqsError> {
        let asked = json!({ "QueueName": name });
        let answer = self.ask("CreateQueue", &asked).await?;
        answer["QueueUrl"].as_str().map(str::to_owned).ok_or_else(|| unreadable("QueueUrl"))
    }

    /// As [`Inner::ask`]; forgets the queues if they are gone, so that the next call creates them.
    async fn call(&self, action: &'static str, asked: &Value) -> Result<Value, SqsError> {
        let answer = self.ask(action, asked).await;
        if answer.as_ref().is_err_and(SqsError::is_about_a_queue_that_is_gone) {
            *self.urls.lock().await = None;
        }
        answer
    }

    async fn ask(&self, action: &'static str, asked: &Value) -> Result<Value, SqsError> {
        let answer = self.answer(action, asked).await;
        self.metrics.called(action, answer.is_ok());
        answer
    }

    async fn answer(&self, action: &'static str, asked: &Value) -> Result<Value, SqsError> {
        let (target, body) = (format!("AmazonSQS.{action}"), asked.to_string());
        let signed =
            headers(Call { host: &self.host, target: &target, body: &body }, &self.account, Utc::now());
        let mut request = self.http.post(self.endpoint.clone());
        for (name, value) in signed {
            request = request.header(name, value);
        }
        let silent = |error: reqwest::Error| SqsError::Silent(error.without_url().to_string());
        let answer = request.body(body).send().await.map_err(silent)?;
        let status = answer.status();
        let bytes = answer.bytes().await.map_err(silent)?;
        if status.is_success() {
            return if bytes.is_empty() {
                Ok(Value::Null)
            } else {
                serde_json::from_slice(&bytes).map_err(|error| SqsError::Silent(error.to_string()))
            };
        }
        let problem: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        let code = problem["__type"].as_str().map(code_of);
        Err(SqsError::Refused { action, code: code.map_or_else(|| status.to_string(), str::to_owned) })
    }
}

fn attribute<'a>(answer: &'a Value, name: &str) -> Result<&'a str, SqsError> {
    answer["Attributes"][name].as_str().ok_or_else(|| unreadable(name))
}
