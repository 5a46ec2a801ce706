//! One file per command. A command finds its lab through the state file; if no lab runs, it says so in one sentence.

pub(crate) mod alerts;
pub(crate) mod clients;
pub(crate) mod down;
pub(crate) mod faults;
pub(crate) mod logs;
pub(crate) mod oncall;
pub(crate) mod pages;
pub(crate) mod protections;
mod secret_arguments;
pub(crate) mod slo;
pub(crate) mod status;
pub(crate) mod torture;
pub(crate) mod traces;
pub(crate) mod up;
pub(crate) mod version;
