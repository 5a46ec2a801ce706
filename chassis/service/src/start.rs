//! What is set up at start-up: the plans of `FAULTS_AT_START`, protections that are off, the tasks of the runtime
//! faults, and for instructors the gauge `fault_active`.

use chassis_core::config::Invalid;
use chassis_faults::{
    FaultError, FaultsConfig,
    protection::{Protections, UnknownProtection},
};
use chassis_telemetry::Chassis;

use crate::{faults, place::Place};

/// Puts the configuration of faults and protections into force and starts the tasks of the declared runtime faults.
/// Called once, when the service starts to run: the time of a plan begins now.
///
/// # Errors
/// As [`check`].
pub(crate) fn start(chassis: &Chassis, config: &FaultsConfig, place: &Place) -> anyhow::Result<()> {
    each_fault(config, |name, query| chassis.faults.set(name, query))?;
    chassis.protections.switch_off(&config.protections_off).map_err(no_protection)?;
    if config.faults_reveal {
        reveal(chassis);
    }
    faults::start(chassis, config.faults_enabled, place);
    chassis_telemetry::faults::start(chassis);
    Ok(())
}

/// Whether `FAULTS_AT_START` and `PROTECTIONS_OFF` are valid; changes nothing.
///
/// # Errors
/// If an entry is not valid: the variable, the entry, and what is valid.
pub(crate) fn check(chassis: &Chassis, config: &FaultsConfig) -> Result<(), Invalid> {
    each_fault(config, |name, query| chassis.faults.check(name, query))?;
    Protections::new(&config.protections_off).map(drop).map_err(no_protection)
}

/// Hands every fault of `FAULTS_AT_START` to `take`: its name, and its parameters.
fn each_fault(
    config: &FaultsConfig,
    take: impl Fn(&str, &str) -> Result<(), FaultError>,
) -> Result<(), Invalid> {
    let variable = "FAULTS_AT_START";
    for entry in config.faults_at_start.iter().map(|entry| entry.trim()).filter(|entry| !entry.is_empty()) {
        if !config.faults_enabled {
            return Err(Invalid::new(variable, "needs FAULTS_ENABLED=true"));
        }
        let (name, query) = entry.split_once('?').unwrap_or((entry, ""));
        take(name, query).map_err(|error| Invalid::new(variable, format_args!("`{entry}`: {error}")))?;
    }
    Ok(())
}

fn no_protection(error: UnknownProtection) -> Invalid {
    Invalid::new("PROTECTIONS_OFF", error)
}

fn reveal(chassis: &Chassis) {
    let help = "Strength of each fault now, 0 to 1; only where FAULTS_REVEAL is on.";
    let gauge = chassis.metrics.float_gauge_vec("fault_active", help, &["fault"]);
    let faults = chassis.faults.clone();
    let refresh = move || {
        for point in faults.points() {
            gauge.with_label_values(&[point.name()]).set(point.level());
        }
    };
    refresh();
    chassis.metrics.on_scrape(refresh);
}
