//! What is looked at while something is broken: objectives' budgets, alerts, conditions.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use observe::{
    Prometheus,
    prometheus::{Labels, Sample},
};

use crate::installation::{Installation, Reached};

/// What is left of the error budget of each objective, 1 and below.
pub(super) type Budgets = BTreeMap<String, f64>;

/// A Prometheus, and what is asked of it.
pub(super) struct Eyes(Reached<Prometheus>);

impl Eyes {
    /// Of an installation.
    ///
    /// # Errors
    /// When it has no Prometheus; the others fail when that does not answer.
    pub(super) async fn of(place: &Installation) -> Result<Self> {
        Ok(Self(place.prometheus().await?))
    }

    /// Budgets by objective.
    pub(super) async fn budgets(&self) -> Result<Budgets> {
        let samples = self.0.query("slo:error_budget_remaining:ratio").await?;
        let left = samples.into_iter().filter_map(|mut sample| {
            let value = sample.value()?;
            Some((sample.metric.remove("slo")?, value))
        });
        Ok(left.collect())
    }

    /// Alerts that fire, with their service, as `NoTraffic of order-api`; only pages, or tickets too.
    pub(super) async fn firing(&self, tickets: bool) -> Result<BTreeSet<String>> {
        let label = |name: &str, labels: &Labels| labels.get(name).cloned().unwrap_or_default();
        let firing = self.0.alerts().await?.into_iter().filter(|alert| alert.state == "firing");
        let told = firing.filter(|alert| match label("severity", &alert.labels).as_str() {
            "page" => true,
            // Tickets about budgets look back for hours.
            "ticket" => tickets && !alert.labels.contains_key("slo"),
            _ => false,
        });
        let name =
            |labels: &Labels| format!("{} of {}", label("alertname", labels), label("service", labels));
        Ok(told.map(|alert| name(&alert.labels)).collect())
    }

    /// Whether a query returns something, and what, in a line.
    pub(super) async fn holds(&self, query: &str) -> Result<(bool, String)> {
        let samples = self.0.query(query).await?;
        let seen = samples.first().and_then(Sample::value);
        let seen = seen.map_or_else(|| "nothing".to_owned(), |value| format!("{value:.4}"));
        Ok((!samples.is_empty(), seen))
    }

    /// The Prometheus itself.
    pub(super) fn prometheus(&self) -> &Prometheus {
        &self.0
    }
}

/// The share of each budget that was burned since `before`, without those that were not.
pub(super) fn burned(before: &Budgets, now: &Budgets) -> Budgets {
    let burned = before.iter().filter_map(|(slo, before)| {
        let share = before - now.get(slo)?;
        // A budget is computed from sums over hours, which move a little without any error.
        (share > 0.000_5).then(|| (slo.clone(), share))
    });
    burned.collect()
}

/// The largest of them; 0 if nothing was burned.
pub(super) fn most(burned: &Budgets) -> f64 {
    burned.values().copied().fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_burned_is_the_difference_and_never_negative() {
        let of = |list: &[(&str, f64)]| -> Budgets {
            list.iter().map(|(name, left)| ((*name).to_owned(), *left)).collect()
        };
        let before = of(&[("availability", 1.0), ("latency", 0.5), ("gone", 1.0)]);
        let burned = burned(&before, &of(&[("availability", 0.875), ("latency", 0.6)]));
        assert_eq!(burned, of(&[("availability", 0.125)]));
        assert_eq!((most(&burned), most(&Budgets::new())), (0.125, 0.0));
    }
}
