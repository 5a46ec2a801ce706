//! Escalation over the real store: every step once, whatever is killed when; what people see and ask for.

mod intake;
mod kills;
mod steps;
mod support;
