//! Faults of the process itself: each really takes the resource while its plan is on, and then releases it.
//!
//! One task per declared point. A fault is a future that holds the resource; ending the plan drops it.

use chassis_telemetry::Chassis;

use crate::catalogue;

mod cpu;
mod crash;
mod descriptors;
mod executor;
mod logs;
mod memory;

/// Starts the tasks of those process faults that the service declares.
pub(crate) fn start(chassis: &Chassis) {
    chassis.follow(&catalogue::CPU_BURN, cpu::burn);
    chassis.follow(&catalogue::MEMORY_LEAK, memory::leak);
    chassis.follow(&catalogue::EXECUTOR_BLOCK, executor::block);
    chassis.follow(&catalogue::FD_LEAK, descriptors::leak);
    chassis.follow(&catalogue::CRASH, crash::crash);
    chassis.follow(&catalogue::LOG_FLOOD, logs::flood);
}

#[cfg(test)]
mod tests;
