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

    /// Deletes the samples of these series between two moments.
    ///
    /// # Errors
    /// When Prometheus refuses, as it does without `--web.enable-admin-api`.
    pub(super) async fn delete(
        &self,
        series: &[String],
        from: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<()> {
        let mut query: Vec<_> = series.iter().map(|series| ("match[]".to_owned(), series.clone())).collect();
        query.push(("start".to_owned(), from.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)));
        query.push(("end".to_owned(), until.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)));
        let url = format!("{}/api/v1/admin/tsdb/delete_series", self.url);
        let deleted = http::call(Method::POST, &url, &query, None).await;
        deleted
            .map(|_| ())
            .context("Prometheus does not delete: it needs --web.enable-admin-api, which `lab up` gives it")
    }
}
