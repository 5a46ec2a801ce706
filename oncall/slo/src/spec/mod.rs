//! Reads OpenSLO v1 (<https://github.com/OpenSLO/OpenSLO>): one `kind: SLO` per file, with its SLI inline.
//!
//! Anything that the format can express and Prometheus rules cannot is refused, never ignored: time slices, several
//! objectives, time zones other than UTC, alert policies (v1 has one look-back window per condition, so it cannot
//! express multi-window alerts; the windows are those of [`crate::clock`]).

mod notes;
mod objective;
mod raw;
mod read;
mod reader;
mod sli;

use std::collections::BTreeMap;

pub use yaml::{Problem, Problems};

use crate::Slo;

/// Annotation: the team that is responsible for the objective.
pub const OWNER: &str = "sre-lab/owner";
/// Annotation: the promise to users.
pub const PROMISE: &str = "sre-lab/promise";
/// Annotation: why the objective is as high as it is.
pub const REASON: &str = "sre-lab/reason";
/// Annotation: bad events in a long window below which nothing fires.
pub const MINIMUM_ERRORS: &str = "sre-lab/minimum-errors";
/// Annotation: the agreement that was sold: `below 99.5 % owes 10 %, below 99 % owes 25 %`.
pub const SLA: &str = "sre-lab/sla";
/// Annotation: the day on which somebody looks again at whether the objective is right: `2027-06-30`.
pub const REVIEW: &str = "sre-lab/review";
/// Annotation: services beside its own whose releases can hurt the objective, separated by commas: `order-api`.
pub const HURT_BY: &str = "sre-lab/hurt-by";
/// Annotation: makes the ratio one of windows; a window is good if good events come at least at this rate: `30/min`.
pub const THROUGHPUT: &str = "sre-lab/throughput";
/// Annotation: the rate of all events from which on a window counts; by default that of [`THROUGHPUT`].
pub const OFFERED: &str = "sre-lab/offered";

/// Reads one spec; `file` is its name in messages.
///
/// # Errors
/// All problems, each with file, line and field.
pub fn read(file: &str, text: &str) -> Result<Slo, Problems> {
    let raw = yaml::parse::<raw::Document>(file, text)?;
    read::model(file, &raw)
}

/// Reads several specs: file names and their texts.
///
/// # Errors
/// All problems of all specs, including two specs that share a name.
pub fn read_all<'a>(specs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Vec<Slo>, Problems> {
    let (mut slos, mut problems) = (Vec::<Slo>::new(), Vec::new());
    for (file, text) in specs {
        match read(file, text) {
            Ok(slo) => slos.push(slo),
            Err(wrong) => problems.extend(wrong.0),
        }
    }
    // Two names may differ but produce the same alert name: `ab` and `a-b` do not, and `a--b` is refused.
    let mut seen: BTreeMap<String, &Slo> = BTreeMap::new();
    for slo in &slos {
        if let Some(first) = seen.insert(slo.alert().to_lowercase(), slo) {
            let (file, line) = slo.origin.clone();
            let message = format!(
                "`{}` overlaps with `{}` of {}:{}: expected a different name (both produce the alert {})",
                slo.name,
                first.name,
                first.origin.0,
                first.origin.1,
                slo.alert()
            );
            problems.push(Problem { file, line, field: "metadata.name".to_owned(), message });
        }
    }
    if problems.is_empty() { Ok(slos) } else { Err(Problems(problems)) }
}
