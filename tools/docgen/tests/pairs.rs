//! The pairs in `drills/experiments` against the code: every protection has one, and each of their faults, parameters and
//! operations of the load exists. What is drawn by lot has a seed.

use std::{collections::BTreeMap, fs, path::Path, str::FromStr as _};

use chassis_faults::{COMMON_PARAMS, Catalogue, FaultSpec, Reach, protection::Protection};
use clap::ValueEnum as _;
use load::mix::OperationKind;
use serde::Deserialize;
use serde_json::Value;

#[derive(Debug, Deserialize)]
struct Experiment {
    pair: Option<Pair>,
    method: Vec<Step>,
    #[serde(default)]
    weakened: Vec<Pair>,
    crowd: Option<Crowd>,
}

#[derive(Debug, Deserialize)]
struct Pair {
    service: Option<String>,
    protection: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Step {
    fault: Option<Fault>,
    #[serde(default)]
    also: Vec<Fault>,
}

#[derive(Debug, Deserialize)]
struct Fault {
    service: String,
    fault: String,
    #[serde(default)]
    with: BTreeMap<String, Value>,
}

#[derive(Debug, Deserialize)]
struct Crowd {
    operation: Option<String>,
}

/// All experiments by name.
fn experiments() -> BTreeMap<String, Experiment> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../drills/experiments");
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(folder).expect("drills/experiments") {
        let path = entry.expect("an entry").path();
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).expect("UTF-8");
        all.insert(
            name,
            serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display())),
        );
    }
    all
}

fn catalogue(service: &str) -> Catalogue {
    match service {
        "order-api" => order_api::faults::CATALOGUE,
        "user-service" => user_service::faults::CATALOGUE,
        "order-worker" => order_worker::faults::CATALOGUE,
        "edge" => edge::faults::CATALOGUE,
        "notifier" => notifier::faults::CATALOGUE,
        other => panic!("no service {other}"),
    }
}

fn spec(fault: &Fault) -> &'static FaultSpec {
    let mut specs = catalogue(&fault.service).iter().map(|known| known.spec());
    let found = specs.find(|spec| spec.name == fault.fault);
    found.unwrap_or_else(|| panic!("{} has no fault {}", fault.service, fault.fault))
}

#[test]
fn every_protection_has_a_pair() {
    let all = experiments();
    let pairs: Vec<&str> = all.values().filter_map(|one| one.pair.as_ref()?.protection.as_deref()).collect();
    for protection in Protection::ALL {
        let count = pairs.iter().filter(|name| **name == protection.name()).count();
        assert_eq!(count, 1, "experiments that take {} away", protection.name());
    }
}

#[test]
fn faults_parameters_protections_and_operations_of_experiments_exist() {
    for (name, experiment) in experiments() {
        for off in experiment.pair.iter().chain(&experiment.weakened) {
            if let (Some(service), Some(protection)) = (&off.service, &off.protection) {
                catalogue(service);
                assert!(Protection::from_str(protection).is_ok(), "{name}: no protection {protection}");
            }
        }
        if let Some(operation) = experiment.crowd.as_ref().and_then(|crowd| crowd.operation.as_ref()) {
            assert!(OperationKind::from_str(operation, false).is_ok(), "{name}: no operation {operation}");
        }
        for fault in experiment.method.iter().flat_map(|step| step.fault.iter().chain(&step.also)) {
            let spec = spec(fault);
            for parameter in fault.with.keys() {
                let own = spec.params.iter().chain(COMMON_PARAMS).any(|known| known.name == parameter);
                let of_work = spec.reach == Reach::Work && ["route", "seed"].contains(&parameter.as_str());
                assert!(own || of_work, "{name}: {} has no parameter {parameter}", fault.fault);
            }
        }
    }
}

/// A pair shows the same work broken in both passes, as far as a plan decides it.
#[test]
fn what_a_pair_draws_by_lot_has_a_seed() {
    for (name, experiment) in experiments() {
        let takes = experiment.pair.as_ref().is_some_and(|pair| pair.protection.is_some());
        for fault in experiment.method.iter().flat_map(|step| step.fault.iter().chain(&step.also)) {
            if takes && spec(fault).reach == Reach::Work {
                assert!(fault.with.contains_key("seed"), "{name}: {} has no seed", fault.fault);
            }
        }
    }
}
