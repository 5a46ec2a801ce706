//! Slack's Web API, as far as war rooms and direct messages need it, and its incoming webhooks
//! (<https://docs.slack.dev/reference/methods>). Every method answers 200 and says in `ok` whether it did anything.

pub(crate) mod blocks;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod tests;

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use url::Url;

use self::blocks::Payload;
use super::{exchange::Request, failure::Failure, http::Client};

/// Pages of channels that are looked through for one that exists already.
const PAGES: usize = 50;

/// A bot. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Slack {
    client: Client,
    base: String,
    token: SecretString,
}

/// What a method said.
enum Reply {
    /// It did it.
    Done(Value),
    /// It did not: Slack's name for the error, and the whole answer.
    Refused(String, Value),
}

impl Slack {
    /// The bot with this token.
    pub(super) fn new(client: Client, base: &Url, token: SecretString) -> Self {
        Self { client, base: base.as_str().trim_end_matches('/').to_owned(), token }
    }

    /// Sends a message to a member.
    pub(super) async fn direct(&self, member: &str, payload: &Payload) -> Result<(), Failure> {
        // Nobody notices that a conversation is open.
        let opened =
            self.call("conversations.open", json!({"users": member})).await.map_err(Failure::harmless)?;
        let channel = text(&opened["channel"]["id"])?;
        self.post(&channel, payload).await.map(|_| ())
    }

    /// Posts into a channel; answers the message's timestamp.
    pub(super) async fn post(&self, channel: &str, payload: &Payload) -> Result<String, Failure> {
        let said = self
            .call("chat.postMessage", with(payload, json!({"channel": channel, "unfurl_links": false})))
            .await?;
        text(&said["ts"])
    }

    /// Changes a message.
    pub(super) async fn update(&self, channel: &str, ts: &str, payload: &Payload) -> Result<(), Failure> {
        self.call("chat.update", with(payload, json!({"channel": channel, "ts": ts}))).await.map(|_| ())
    }

    /// Creates a channel, or finds the one that an earlier attempt created; answers its id.
    pub(super) async fn create(&self, name: &str) -> Result<String, Failure> {
        match self.ask("conversations.create", json!({"name": name, "is_private": false})).await? {
            Reply::Done(answer) => text(&answer["channel"]["id"]),
            Reply::Refused(error, _) if error == "name_taken" => self.find(name).await,
            Reply::Refused(error, answer) => Err(refused("conversations.create", &error, &answer)),
        }
    }

    /// Sets a channel's topic.
    pub(super) async fn topic(&self, channel: &str, topic: &str) -> Result<(), Failure> {
        self.call("conversations.setTopic", json!({"channel": channel, "topic": topic})).await.map(|_| ())
    }

    /// Invites a member.
    pub(super) async fn invite(&self, channel: &str, member: &str) -> Result<(), Failure> {
        let members = json!({"channel": channel, "users": member});
        self.unless("conversations.invite", members, &["already_in_channel", "cant_invite_self"]).await
    }

    /// Archives a channel.
    pub(super) async fn archive(&self, channel: &str) -> Result<(), Failure> {
        self.unless("conversations.archive", json!({"channel": channel}), &["already_archived"]).await
    }

    async fn find(&self, name: &str) -> Result<String, Failure> {
        let mut cursor = String::new();
        for _ in 0..PAGES {
            let asked = [
                ("types", "public_channel"),
                ("exclude_archived", "true"),
                ("limit", "200"),
                ("cursor", cursor.as_str()),
            ];
            let form =
                serde_urlencoded::to_string(asked).map_err(|error| Failure::Never(error.to_string()))?;
            // Methods that read take forms only.
            let kind = "application/x-www-form-urlencoded";
            let answer = match self.send("conversations.list", kind, form).await? {
                Reply::Done(answer) => answer,
                Reply::Refused(error, answer) => return Err(refused("conversations.list", &error, &answer)),
            };
            let found =
                answer["channels"].as_array().into_iter().flatten().find(|channel| channel["name"] == name);
            if let Some(channel) = found {
                return text(&channel["id"]);
            }
            cursor = answer["response_metadata"]["next_cursor"].as_str().unwrap_or_default().to_owned();
            if cursor.is_empty() {
                break;
            }
        }
        Err(Failure::Never(format!(
            "the channel #{name} exists already, and is archived or hidden from the bot"
        )))
    }

    /// Calls a method for which these errors mean that there is nothing to do.
    async fn unless(&self, method: &str, arguments: Value, fine: &[&str]) -> Result<(), Failure> {
        match self.ask(method, arguments).await? {
            Reply::Refused(error, answer) if !fine.contains(&&*error) => {
                Err(refused(method, &error, &answer))
            }
            _ => Ok(()),
        }
    }

    async fn call(&self, method: &str, arguments: Value) -> Result<Value, Failure> {
        match self.ask(method, arguments).await? {
            Reply::Done(answer) => Ok(answer),
            Reply::Refused(error, answer) => Err(refused(method, &error, &answer)),
        }
    }

    async fn ask(&self, method: &str, arguments: Value) -> Result<Reply, Failure> {
        self.send(method, "application/json; charset=utf-8", arguments.to_string()).await
    }

    async fn send(&self, method: &str, kind: &str, body: String) -> Result<Reply, Failure> {
        let url = format!("{}/{method}", self.base);
        let authorization = format!("Bearer {}", self.token.expose_secret());
        let headers = vec![("authorization", authorization), ("content-type", kind.to_owned())];
        let answer = self.client.post(&Request { url: &url, headers, body }).await?.accepted()?;
        let value: Value = serde_json::from_str(&answer.body)
            .map_err(|_| Failure::Unclear(format!("Slack's {method} did not answer JSON")))?;
        if value["ok"] == true {
            return Ok(Reply::Done(value));
        }
        match value["error"].as_str().unwrap_or_default() {
            "ratelimited" => {
                Err(Failure::NotYet { why: format!("Slack limits {method}"), wait: answer.wait })
            }
            // By Slack's documentation, part of it may have happened.
            error @ ("internal_error" | "fatal_error" | "request_timeout" | "service_unavailable") => {
                Err(Failure::Unclear(format!("Slack's {method}: {error}")))
            }
            error => Ok(Reply::Refused(error.to_owned(), value)),
        }
    }
}

/// Posts to an incoming webhook, whose URL is a secret.
pub(super) async fn announce(client: &Client, hook: &SecretString, payload: &Payload) -> Result<(), Failure> {
    let headers = vec![("content-type", "application/json".to_owned())];
    let request = Request { url: hook.expose_secret(), headers, body: json!(payload).to_string() };
    client.post(&request).await?.accepted().map(|_| ())
}

fn with(payload: &Payload, mut arguments: Value) -> Value {
    arguments["text"] = json!(payload.text);
    if !payload.blocks.is_empty() {
        arguments["blocks"] = json!(payload.blocks);
    }
    if !payload.attachments.is_empty() {
        arguments["attachments"] = json!(payload.attachments);
    }
    arguments
}

fn text(value: &Value) -> Result<String, Failure> {
    value.as_str().map(str::to_owned).ok_or_else(|| Failure::Unclear("Slack's answer lacks an id".to_owned()))
}

fn refused(method: &str, error: &str, answer: &Value) -> Failure {
    let help = match error {
        "invalid_auth" | "not_authed" | "account_inactive" | "token_revoked" | "token_expired" => {
            ": set SLACK_TOKEN to the token of an installed bot".to_owned()
        }
        "missing_scope" => {
            let needed = answer["needed"].as_str().unwrap_or("that the method needs");
            format!(": give the bot the scope {needed}")
        }
        _ => String::new(),
    };
    Failure::Never(format!("Slack's {method} refused: {error}{help}"))
}
