//! The Prometheus of the running lab, as far as objectives need it.

use anyhow::{Context, Result, bail};
use chrono::{DateTime, Utc};
use reqwest::Method;
use serde_json::Value;
use slo::{
    Clock, Slo,
    report::{QUERY, Report},
};

use crate::{commands, home::Home, http};

/// A client of one Prometheus.
pub(super) struct Prometheus {
    url: String,
}

impl Prometheus {
    /// The one of the lab that runs here.
    ///
    /// # Errors
    /// When none does.
    pub(super) fn of(home: &Home) -> Result<Self> {
        let port = commands::lab(home)?.port("prometheus").context("prometheus does not run")?;
        Ok(Self { url: format!("http://127.0.0.1:{port}") })
    }

    /// An instant query; the whole answer.
    pub(super) async fn query(&self, query: &str) -> Result<Value> {
        let url = format!("{}/api/v1/query", self.url);
        http::call(Method::GET, &url, &[("query".to_owned(), query.to_owned())], None).await
    }

    /// What is pending and firing; the whole answer.
    pub(super) async fn alerts(&self) -> Result<Value> {
        http::get(&format!("{}/api/v1/alerts", self.url)).await
    }

    /// Whether it answers queries.
    pub(super) async fn is_ready(&self) -> bool {
        http::ready(&format!("{}/-/ready", self.url)).await.is_ok()
    }

    /// How many series a selector had at some moment.
    pub(super) async fn count_at(&self, selector: &str, at: DateTime<Utc>) -> Result<f64> {
        let (url, query) = (format!("{}/api/v1/query", self.url), format!("count({selector})"));
        let query = [("query".to_owned(), query), ("time".to_owned(), at.timestamp().to_string())];
        let answer = http::call(Method::GET, &url, &query, None).await?;
        let count = answer["data"]["result"][0]["value"][1].as_str().and_then(|value| value.parse().ok());
        Ok(count.unwrap_or_default())
    }

    /// The value of a query that has one sample; nothing where it has none.
    pub(super) async fn value(&self, query: &str) -> Result<Option<f64>> {
        let answer = self.query(query).await?;
        Ok(answer["data"]["result"][0]["value"][1].as_str().and_then(|value| value.parse().ok()))
    }

    /// All objectives now.
    pub(super) async fn report(&self, slos: &[Slo]) -> Result<Report> {
        let (series, alerts) = (self.query(QUERY).await?, self.alerts().await?);
        Ok(Report::new(slos, self.clock().await?, Utc::now(), &series, &alerts))
    }

    /// The clock of the rules that are loaded.
    async fn clock(&self) -> Result<Clock> {
        let info = self.query("slo_info").await?;
        match info["data"]["result"][0]["metric"]["clock"].as_str() {
            Some("production") => Ok(Clock::Production),
            Some("lab") => Ok(Clock::Lab),
            _ => bail!(
                "Prometheus has no slo_info yet: its rules are evaluated a moment after the start; else see {}/rules",
                self.url
            ),
        }
    }
}
