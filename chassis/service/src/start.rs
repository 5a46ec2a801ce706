//! What is set up at start-up: the plans of `FAULTS_AT_START`, protections that are off, the tasks of the runtime
//! faults, and for instructors the gauge `fault_active`.

use chassis_core::config::Invalid;
use chassis_faults::FaultsConfig;
use chassis_telemetry::Chassis;

use crate::{faults, place::Place};

/// Puts the configuration of faults and protections into force and starts the tasks of the declared runtime faults.
/// Called once, when the service starts to run.
///
/// # Errors
/// As `configure`.
pub(crate) fn start(chassis: &Chassis, config: &FaultsConfig, place: &Place) -> anyhow::Result<()> {
    configure(chassis, config)?;
    if config.faults_reveal {
        reveal(chassis);
    }
    faults::start(chassis, config.faults_enabled, place);
    chassis_telemetry::faults::start(chassis);
    Ok(())
}

/// Applies `FAULTS_AT_START` and `PROTECTIONS_OFF`; a plan's time begins now.
///
/// # Errors
/// If an entry is not valid: the variable, the entry, and what is valid.
pub(crate) fn configure(chassis: &Chassis, config: &FaultsConfig) -> anyhow::Result<()> {
    let entries =
        || config.faults_at_start.iter().map(|entry| entry.trim()).filter(|entry| !entry.is_empty());
    if !config.faults_enabled && entries().next().is_some() {
        return Err(Invalid::new("FAULTS_AT_START", "needs FAULTS_ENABLED=true").into());
    }
    for entry in entries() {
        let (name, query) = entry.split_once('?').unwrap_or((entry, ""));
        let wrong = |error| Invalid::new("FAULTS_AT_START", format_args!("`{entry}`: {error}"));
        chassis.faults.set(name, query).map_err(wrong)?;
    }
    let wrong = |error| Invalid::new("PROTECTIONS_OFF", error);
    chassis.protections.switch_off(&config.protections_off).map_err(wrong)?;
    Ok(())
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
