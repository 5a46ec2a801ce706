//! Boards from their files to HTML.

mod committed;
mod drawn;
mod refused;
mod support;
