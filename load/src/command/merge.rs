//! `load merge RUN RUN…`

use std::path::PathBuf;

use clap::Args;

use super::{
    Stop, say,
    store::{Store, json},
};
use crate::report::Report;

/// Merges runs of one scenario that several processes or hosts made at the same time: adds their histograms, and judges the
/// thresholds on the sum. The exit code is that of the merged run.
#[derive(Debug, Args)]
pub(super) struct Merge {
    /// Folders of the runs, each with report.json and board.json
    #[arg(required = true, num_args = 2..)]
    runs: Vec<PathBuf>,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
    /// Where runs are kept
    #[arg(long, env = "LOAD_FOLDER", default_value = ".lab/load", value_name = "FOLDER")]
    folder: PathBuf,
}

impl Merge {
    pub(super) fn act(self) -> Result<u8, Stop> {
        let store = Store::at(&self.folder);
        let mut reports: Vec<Report> = Vec::new();
        let mut merged = None;
        for run in &self.runs {
            let report = store.find(&run.display().to_string())?;
            let board = Store::board(run)?;
            if let Some(first) = reports.first().filter(|first| first.scenario != report.scenario) {
                let (first, other) = (&first.scenario, &report.scenario);
                return Err(Stop::Usage(format!("{}: a run of {other}, not of {first}", run.display())));
            }
            match &mut merged {
                None => merged = Some(board),
                Some(sum) => {
                    sum.merge(&board).map_err(|error| Stop::Usage(format!("{}: {error}", run.display())))?
                }
            }
            reports.push(report);
        }
        let report = merged.as_ref().and_then(|board| Report::merged(&reports, board));
        let report = report.ok_or_else(|| Stop::Usage("there is no run to merge".to_owned()))?;
        say(&if self.json { json(&report) } else { report.text() });
        Ok(report.verdict.exit_code())
    }
}
