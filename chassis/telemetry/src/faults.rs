//! `cardinality-bomb`: the label of a counter that takes any value, as when someone adds an id to the name of an operation.
//!
//! The family always exists, with one series for each operation of the database.

use std::time::Duration;

use chassis_faults::{FaultPoint, Strike, part};
use prometheus::{IntCounterVec, core::Collector as _};
use uuid::Uuid;

use crate::{
    Chassis,
    catalogue::{CARDINALITY_BOMB, CardinalityBomb},
    metrics::Metrics,
};

const TICK: Duration = Duration::from_millis(500);
/// Operation name in a service without a database.
const ANY: &str = "query";

/// Queries and transactions by name. The names are constants in the code: few, and known at start-up.
#[must_use]
pub fn operations(metrics: &Metrics) -> IntCounterVec {
    let help = "Queries and transactions that were begun, by the name of their span.";
    metrics.counter_vec("database_operations_total", help, &["operation"])
}

/// Starts the task of the fault, if the service declares it.
pub fn start(chassis: &Chassis) {
    if chassis.faults.declares(&CARDINALITY_BOMB) {
        let operations = Operations::new(&chassis.metrics);
        chassis.follow(&CARDINALITY_BOMB, move |point, strike| operations.clone().bomb(point, strike));
    }
}

/// The family.
#[derive(Clone)]
struct Operations(IntCounterVec);

impl Operations {
    fn new(metrics: &Metrics) -> Self {
        Self(operations(metrics))
    }

    async fn bomb(self, point: FaultPoint<CardinalityBomb>, strike: Strike<CardinalityBomb>) {
        let series = strike.params.series;
        let names = self.names();
        let mut made = Made { family: self.0, values: Vec::new() };
        loop {
            let wanted = part(series, point.level());
            for n in made.values.len() as u64..wanted {
                let name = &names[usize::try_from(n).unwrap_or_default() % names.len()];
                made.count(format!("{name} {}", Uuid::now_v7()));
            }
            tokio::time::sleep(TICK).await;
        }
    }

    /// The operations that exist now.
    fn names(&self) -> Vec<String> {
        let families = self.0.collect();
        let labels =
            families.iter().flat_map(|family| family.get_metric()).flat_map(|metric| metric.get_label());
        let names: Vec<_> = labels.map(|label| label.value().to_owned()).collect();
        if names.is_empty() { vec![ANY.to_owned()] } else { names }
    }
}

/// The added series; dropping it removes them and keeps the others.
struct Made {
    family: IntCounterVec,
    values: Vec<String>,
}

impl Made {
    fn count(&mut self, value: String) {
        self.family.with_label_values(&[&value]).inc();
        self.values.push(value);
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        for value in &self.values {
            let _ = self.family.remove_label_values(&[value]);
        }
    }
}
