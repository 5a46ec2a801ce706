//! The queries that objectives make to Prometheus.

use anyhow::{Result, bail};
use chrono::{DateTime, Utc};
use observe::Prometheus;
use slo::{
    Clock, Slo,
    report::{
        QUERY, Report,
        past::{Answers, Past, Queries, Range, Values},
    },
};

/// The current state of all objectives.
///
/// # Errors
/// When Prometheus cannot be reached, or has loaded no rules of objectives.
pub(super) async fn report(prometheus: &Prometheus, slos: &[Slo]) -> Result<Report> {
    let (series, alerts) = (prometheus.answer(QUERY).await?, prometheus.alerts_answer().await?);
    Ok(Report::new(slos, clock(prometheus).await?, Utc::now(), &series, &alerts))
}

/// What became of all objectives in a range that is over.
///
/// # Errors
/// When Prometheus cannot be reached, or refuses a query, such as one over more samples than it may load.
pub(super) async fn past(prometheus: &Prometheus, slos: &[Slo], clock: Clock, range: Range) -> Result<Past> {
    let queries = Queries::of(clock, range.seconds());
    let ask = async |query: &str| values(prometheus, query, range.until).await;
    let answers = Answers {
        events: ask(&queries.events).await?,
        bad: ask(&queries.bad).await?,
        known: ask(&queries.known).await?,
        left: ask(&queries.left).await?,
        paged: ask(&queries.paged).await?,
    };
    Ok(Past::new(slos, clock, range, &answers))
}

async fn values(prometheus: &Prometheus, query: &str, at: DateTime<Utc>) -> Result<Values> {
    let samples = prometheus.query_at(query, at).await?.into_iter();
    let own = samples.filter_map(|mut sample| {
        let value = sample.value()?;
        Some((sample.metric.remove("slo")?, value))
    });
    Ok(own.collect())
}

/// The clock of the rules that are loaded.
///
/// # Errors
/// When Prometheus cannot be reached, or has evaluated no rules of objectives yet.
pub(super) async fn clock(prometheus: &Prometheus) -> Result<Clock> {
    let info = prometheus.query("slo_info").await?;
    let named = info.first().and_then(|info| Clock::named(info.metric.get("clock")?));
    match named {
        Some(clock) => Ok(clock),
        None => bail!(
            "Prometheus has no slo_info yet: wait until its rules have been evaluated, or see {}/rules",
            prometheus.base()
        ),
    }
}
