//! Notifications and war rooms against the APIs that they call: a Slack that checks every call, PagerDuty, webhooks.

mod crash;
#[cfg(target_os = "linux")]
mod desktop;
#[path = "../../src/notify/slack/limits.rs"]
mod limits;
mod receiver;
mod slack;
mod slack_api;
mod support;
mod systems;
mod thread;
