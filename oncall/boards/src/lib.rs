//! Grafana's dashboards without Grafana: the files of `dashboards/grafana`, drawn as HTML and SVG.
//!
//! Read it in this order: [`model`] (what a board consists of), [`read`] (from its JSON, refusing whatever could not be
//! drawn), [`layout`], [`range`] and [`scope`] (time and variables in queries), [`data`] (what the queries answer),
//! [`mod@unit`] and [`field`] (how a value looks), [`draw`] (panels), [`logql`] (log queries, for logs that no Loki keeps).
//!
//! Does no I/O and reads no clock. A file that is accepted is drawn as Grafana draws it; anything else is refused with
//! its place, so that no panel is silently wrong.

pub mod data;
pub mod draw;
pub mod field;
pub mod layout;
pub mod logql;
pub mod model;
mod problem;
pub mod range;
pub mod read;
pub mod scope;
pub mod unit;

pub use model::{Board, Panel};
pub use problem::{Problem, Problems};
