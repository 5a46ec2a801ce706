//! Whether the chart's autoscalers act before a pod has reached what it was measured to do. Pure.
//!
//! An autoscaler on CPU divides what a pod uses by what it requests. If another resource is full first, the CPU never reaches the
//! target, and no pod is added. KEDA divides the waiting messages by the number of pods: more than a pod can work off in time are
//! too many.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::{CORES, Findings, PARTITIONS, SHARE};

/// The service that KEDA scales.
const WORKER: &str = "order-worker";

/// What matters of the chart's values. Other keys are not ours to judge.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Values {
    services: BTreeMap<String, Service>,
    keda: Keda,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
struct Service {
    autoscaling: Autoscaling,
    resources: Resources,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Autoscaling {
    enabled: bool,
    #[serde(rename = "targetCPUUtilizationPercentage")]
    target: f64,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
struct Resources {
    requests: Requests,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
struct Requests {
    /// A quantity of Kubernetes: `100m`, `"0.5"` or 2.
    cpu: Value,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Keda {
    enabled: bool,
    lag_per_pod: f64,
}

/// One autoscaler.
#[derive(Debug, Clone, PartialEq)]
pub struct Aim {
    /// What it scales, and by what.
    pub what: String,
    /// Whether it is on.
    pub enabled: bool,
    /// Whether it acts in time; `None` if nothing was measured that could say so.
    pub in_time: Option<bool>,
    /// What was compared, in words.
    pub why: String,
}

impl Values {
    /// From the text of the chart's `values.yaml`.
    ///
    /// # Errors
    /// With line and field.
    pub fn read(file: &str, text: &str) -> Result<Self, yaml::Problem> {
        yaml::parse(file, text)
    }

    /// Every autoscaler of the chart, those that are off included.
    #[must_use]
    pub fn judged(&self, findings: &Findings) -> Vec<Aim> {
        let by_cpu = self.services.iter().map(|(name, service)| by_cpu(name, service, findings));
        by_cpu.chain([by_lag(&self.keda, findings)]).collect()
    }
}

fn by_cpu(name: &str, service: &Service, findings: &Findings) -> Aim {
    let (what, enabled) = (format!("{name} by CPU"), service.autoscaling.enabled);
    let aim = |in_time, why| Aim { what, enabled, in_time, why };
    let Some(request) = cores(&service.resources.requests.cpu) else {
        return aim(None, format!("{} is no quantity of CPU", service.resources.requests.cpu));
    };
    let station = format!("{CORES} of {name}");
    let Some(station) = findings.stations.iter().find(|one| one.name == station) else {
        return aim(None, "its CPU time was not measured".to_owned());
    };
    let target = service.autoscaling.target / 100.0 * request;
    let (at, limit) = (target / (station.service * station.visits), findings.knee * SHARE);
    let why = format!(
        "{:.0} % of {:.0} millicores are reached at {at:.0} journeys per second and pod; at {limit:.0} it has to act",
        service.autoscaling.target,
        request * 1_000.0
    );
    aim(Some(at <= limit), why)
}

fn by_lag(keda: &Keda, findings: &Findings) -> Aim {
    let aim = |in_time, why| Aim { what: format!("{WORKER} by lag"), enabled: keda.enabled, in_time, why };
    let station = format!("{PARTITIONS} of {WORKER}");
    let Some(station) = findings.stations.iter().find(|one| one.name == station) else {
        return aim(None, "the time that a message takes was not measured".to_owned());
    };
    // Half of the objective: the other half is for the pods to come, and for partitions to move.
    let (seconds, limit) = (
        keda.lag_per_pod * station.service / f64::from(station.servers.max(1)),
        findings.objective.settle / 2.0,
    );
    let why = format!(
        "{:.0} messages take a pod {seconds:.2} s; half of the objective are {limit:.1} s",
        keda.lag_per_pod
    );
    aim(Some(seconds <= limit), why)
}

/// Cores of a quantity.
fn cores(quantity: &Value) -> Option<f64> {
    let cores = match quantity {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => match text.strip_suffix('m') {
            Some(milli) => milli.parse::<f64>().ok().map(|milli| milli / 1_000.0),
            None => text.parse().ok(),
        },
        _ => None,
    };
    cores.filter(|cores| *cores > 0.0 && cores.is_finite())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{super::findings::example, *};

    const CHART: &str = include_str!("../../../deploy/helm/sre-lab/values.yaml");

    fn aims(values: &str) -> Vec<Aim> {
        Values::read("values.yaml", values).unwrap().judged(&example())
    }

    fn aim(aims: &[Aim], what: &str) -> Aim {
        aims.iter().find(|aim| aim.what == what).unwrap_or_else(|| panic!("no {what}: {aims:?}")).clone()
    }

    #[test]
    fn the_charts_autoscalers_are_read_and_judged() {
        let aims = aims(CHART);
        // 70 % of 100 millicores, 1.6 ms of CPU per journey: 43.75; 60 % of the knee at 300 are 180.
        let api = aim(&aims, "order-api by CPU");
        assert_eq!((api.enabled, api.in_time), (true, Some(true)));
        assert!(api.why.contains("reached at 44 journeys per second"), "{}", api.why);
        assert_eq!(aim(&aims, "edge by CPU").in_time, None, "not in the example");
        // 200 messages of 4 ms in 12 partitions.
        let worker = aim(&aims, "order-worker by lag");
        assert_eq!((worker.enabled, worker.in_time), (false, Some(true)));
        assert!(worker.why.contains("0.07 s"), "{}", worker.why);
    }

    #[test]
    fn a_target_that_is_never_reached_and_a_lag_that_takes_too_long_are_found() {
        let late = CHART.replace("lagPerPod: 200", "lagPerPod: 20000").replace("cpu: 100m", "cpu: \"1\"");
        let aims = aims(&late);
        assert_eq!(aim(&aims, "order-api by CPU").in_time, Some(false));
        assert_eq!(aim(&aims, "order-worker by lag").in_time, Some(false));
    }

    #[test]
    fn quantities_are_cores_or_thousandths() {
        assert_eq!(cores(&json!("250m")), Some(0.25));
        assert_eq!((cores(&json!("0.5")), cores(&json!(2))), (Some(0.5), Some(2.0)));
        assert_eq!((cores(&json!("2Gi")), cores(&json!(null)), cores(&json!("0m"))), (None, None, None));
    }
}
