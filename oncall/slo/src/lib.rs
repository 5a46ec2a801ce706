//! Service level objectives as code: OpenSLO v1 specs in, Prometheus rules, promtool tests, pages and reports out.
//!
//! Read it in this order: [`spec`] (YAML to model, with errors that name file, line and field), [`model`] (what an
//! objective is), [`sla`] (what customers were sold beside it), [`clock`] (windows and factors), [`theory`] (when an
//! alert must fire and end), [`lint`] (what is legal but wrong), [`generate`] (rules, tests, the page), [`live`] (an
//! objective without rules, by query), [`simulate`], [`report`] (now, over a past range, week by week), [`explain`].
//!
//! Does no I/O: callers read files, query Prometheus and print.

pub mod catalogue;
pub mod clock;
pub mod explain;
pub mod generate;
pub mod lint;
pub mod live;
pub mod model;
pub mod report;
pub mod selector;
pub mod simulate;
pub mod sla;
pub mod spec;
pub mod theory;
pub mod window;

pub use catalogue::Catalogue;
pub use clock::{Clock, PAIRS, PERIOD, Pair, Severity};
pub use model::{AlertKind, Flow, Period, Sli, Slo};
pub use sla::Sla;
pub use spec::{Problem, Problems};
pub use window::Window;
