//! What objectives ask of a Prometheus.

use anyhow::{Result, bail};
use chrono::Utc;
use observe::Prometheus;
use slo::{
    Clock, Slo,
    report::{QUERY, Report},
};

/// All objectives now.
///
/// # Errors
/// When Prometheus cannot be reached, or has no rules of objectives.
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
            "Prometheus has no slo_info yet: its rules are evaluated a moment after the start; else see {}/rules",
            prometheus.base()
        ),
    }
}
