//! What is known about the system at the moment: one picture, replaced as a whole, so that a page never mixes two.

use chrono::{DateTime, Utc};
use observe::prometheus::Alert;
use serde::Serialize;
use serde_json::{Value, json};

/// The picture. What it serializes to is fit for a trainee: without the faults.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Seen {
    /// When Prometheus last answered.
    pub at: Option<DateTime<Utc>>,
    /// Whether Prometheus answers.
    pub prometheus: Reach,
    /// Whether Alertmanager answers.
    pub alertmanager: Reach,
    /// Services and what they use, in request-path order.
    pub services: Vec<ServiceSeen>,
    /// Pending and firing alerts, without the heartbeat.
    pub alerts: Vec<Alert>,
    /// Objectives, in the order of their files; then those that were declared.
    pub budgets: Vec<Budget>,
    /// Whether the heartbeat of monitoring has stopped.
    pub watchdog_silent: bool,
    /// Active faults. For instructors only.
    #[serde(skip)]
    pub faults: Vec<FaultSeen>,
    /// Protections that are switched off.
    pub protections_off: Vec<ProtectionSeen>,
}

/// Whether something answers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(tag = "state", content = "why", rename_all = "snake_case")]
pub enum Reach {
    /// Nobody has asked yet.
    #[default]
    Unknown,
    /// It answers.
    Up,
    /// It does not; why.
    Down(String),
}

impl Reach {
    pub(super) fn of<T>(answer: &crate::error::Result<T>) -> Self {
        match answer {
            Ok(_) => Self::Up,
            Err(error) => Self::Down(error.to_string()),
        }
    }
}

/// A service, a store or the broker.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct ServiceSeen {
    /// Its name.
    pub name: String,
    /// Requests, messages or operations per second.
    pub rate: Option<f64>,
    /// Share of them that fail, 0 to 1; none without traffic.
    pub errors: Option<f64>,
    /// The 95th percentile of their duration in seconds.
    pub p95: Option<f64>,
    /// Messages that wait for it.
    pub lag: Option<f64>,
    /// Its instances, if their admin ports are known.
    pub instances: Vec<InstanceSeen>,
    /// Its rate in the last 15 minutes: seconds since 1970, and the value.
    pub spark: Vec<(f64, f64)>,
    /// The share of failures in the last 15 minutes, in the same form.
    pub error_spark: Vec<(f64, f64)>,
}

/// An instance of a service.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct InstanceSeen {
    /// Its own name.
    pub name: String,
    /// Whether it takes requests; none if nobody has asked yet.
    pub ready: Option<bool>,
    /// Why it does not.
    pub reason: Option<String>,
    /// How often it was started in the last 15 minutes, its first start not counted.
    pub restarts: f64,
    /// Whether its admin port answers.
    pub up: bool,
}

/// The error budget of an objective.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Budget {
    /// Name of the objective.
    pub slo: String,
    /// Its name in sentences.
    pub title: String,
    /// The promised share of good events.
    pub objective: f64,
    /// The share of the budget that is left; below 0 the promise is broken.
    pub remaining: Option<f64>,
    /// How many times faster than allowed it is used, over the shortest window.
    pub burn: Option<f64>,
    /// The service that keeps it.
    pub service: String,
}

/// An active fault.
#[derive(Debug, Clone, PartialEq)]
pub struct FaultSeen {
    /// The instance.
    pub instance: String,
    /// Its service.
    pub service: String,
    /// The fault point.
    pub fault: String,
    /// The share of the calls that it affects.
    pub rate: Value,
    /// When it was set.
    pub since: Option<DateTime<Utc>>,
    /// When it ends, RFC 3339; absent if it lasts until somebody ends it.
    pub expires_at: Option<String>,
}

/// A protection that is switched off.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ProtectionSeen {
    /// The instance.
    pub instance: String,
    /// Its service.
    pub service: String,
    /// The protection.
    pub name: String,
    /// Seconds until it is on again, if that is known.
    pub seconds_left: Option<f64>,
}

impl Seen {
    /// A service by its name.
    #[must_use]
    pub fn service(&self, name: &str) -> Option<&ServiceSeen> {
        self.services.iter().find(|service| service.name == name)
    }

    /// What listeners are told of when it changes: alerts, readiness, what answers. Nothing that is sealed.
    pub(super) fn news(&self) -> Value {
        let alerts = self.alerts.iter().map(|alert| {
            let label = |name: &str| alert.labels.get(name).map_or("", String::as_str);
            json!([label("alertname"), label("service"), label("instance"), alert.state])
        });
        let instances = self.services.iter().flat_map(|service| &service.instances);
        let not_ready = instances.filter(|one| one.ready == Some(false)).map(|one| one.name.as_str());
        json!({
            "alerts": alerts.collect::<Vec<_>>(),
            "not_ready": not_ready.collect::<Vec<_>>(),
            "prometheus": self.prometheus == Reach::Up,
            "alertmanager": self.alertmanager == Reach::Up,
            "silent": self.watchdog_silent,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_the_picture_nor_its_news_has_the_faults() {
        let fault = FaultSeen {
            instance: "order-api".to_owned(),
            service: "order-api".to_owned(),
            fault: "http-error".to_owned(),
            rate: json!(0.5),
            since: None,
            expires_at: None,
        };
        let seen = Seen { faults: vec![fault], ..Seen::default() };
        let text = serde_json::to_string(&seen).unwrap() + &seen.news().to_string();
        assert!(!text.contains("http-error") && text.contains("\"state\":\"unknown\""), "{text}");
    }
}
