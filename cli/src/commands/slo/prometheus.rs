//! The queries that objectives make to Prometheus.

use anyhow::{Result, bail};
use chrono::Utc;
use observe::Prometheus;
use slo::{
    Clock, Slo,
    report::{QUERY, Report},
};

/// The current state of all objectives.
///
/// # Errors
/// When Prometheus cannot be reached, or has loaded no rules of objectives.
pub(super) async fn report(prometheus: &Prometheus, slos: &[Slo]) -> Result<Report> {
    let (series, alerts) = (prometheus.answer(QUERY).await?, prometheus.alerts_answer().await?);
    Ok(Report::new(slos, clock(prometheus).await?, Utc::now(), &series, &alerts))
}

/// The clock of the rules that are loaded.
async fn clock(prometheus: &Prometheus) -> Result<Clock> {
    let info = prometheus.query("slo_info").await?;
    match info.first().and_then(|info| info.metric.get("clock")).map(String::as_str) {
        Some("production") => Ok(Clock::Production),
        Some("lab") => Ok(Clock::Lab),
        _ => bail!(
            "Prometheus has no slo_info yet: wait until its rules have been evaluated, or see {}/rules",
            prometheus.base()
        ),
    }
}
