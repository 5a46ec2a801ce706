//! Faults of the process itself: each really takes the resource while its plan is on, and then releases it.
//!
//! One task per declared point. A fault is a future that holds the resource; ending the plan drops it.

use chassis_telemetry::Chassis;

use crate::{catalogue, place::Place};

mod cpu;
mod crash;
mod crash_loop;
mod descriptors;
mod disk;
mod executor;
mod lease;
mod logs;
mod memory;
mod memory_loop;

/// Starts the tasks of those process faults that the service declares, after removing what a process that was killed left
/// behind. A loop of crashes or kills continues, if `enabled`.
pub(crate) fn start(chassis: &Chassis, enabled: bool, place: &Place) {
    disk::tidy(place.folder.path());
    crash_loop::resume(&chassis.faults, enabled, place.checkpoint.as_deref());
    chassis.follow(&catalogue::CPU_BURN, cpu::burn);
    memory_loop::resume(&chassis.faults, enabled, &place.folder, place.checkpoint.as_deref());
    let (folder, file) = (place.folder.clone(), place.checkpoint.clone());
    chassis.follow(&catalogue::MEMORY_LEAK, move |point, strike| {
        memory_loop::leak(folder.clone(), file.clone(), point, strike)
    });
    chassis.follow(&catalogue::EXECUTOR_BLOCK, executor::block);
    chassis.follow(&catalogue::FD_LEAK, descriptors::leak);
    chassis.follow(&catalogue::CRASH, crash::crash);
    chassis.follow(&catalogue::LOG_FLOOD, logs::flood);
    let folder = place.folder.clone();
    chassis.follow(&catalogue::DISK_FILL, move |point, strike| disk::fill(folder.clone(), point, strike));
    let (folder, file) = (place.folder.clone(), place.checkpoint.clone());
    chassis.follow(&catalogue::CRASH_LOOP, move |point, strike| {
        crash_loop::crash(folder.clone(), file.clone(), point, strike)
    });
}

#[cfg(test)]
mod folder_tests;
#[cfg(test)]
mod tests;
