//! What a run of the command has measured so far, and the files that have it: they are written after each measurement, because
//! what took hours must not be lost if somebody ends it.

use std::{cell::RefCell, collections::BTreeMap, path::PathBuf};

use anyhow::Result;

use super::{
    Verify, measured, page, papers,
    pick::Trial,
    report::{Row, Verdict},
    way::Way,
};
use crate::commands::kept::Stamp;

/// The measurements of one run, of all labs.
pub(super) struct Session<'v> {
    verify: &'v Verify,
    root: PathBuf,
    /// What tells the text of each runbook that is tried.
    texts: BTreeMap<String, String>,
    stamp: Stamp,
    /// By runbook; of one, in the order in which they were measured.
    rows: RefCell<Vec<Row>>,
}

impl<'v> Session<'v> {
    /// Begins with what is skipped. That is written even if nothing is measured; and a file that cannot be written is known at
    /// once.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub(super) fn begin(
        verify: &'v Verify,
        root: PathBuf,
        texts: BTreeMap<String, String>,
        skipped: Vec<Row>,
    ) -> Result<Self> {
        let stamp = Stamp::now(&root);
        let session = Self { verify, root, texts, stamp, rows: RefCell::new(skipped) };
        session.keep()?;
        Ok(session)
    }

    /// What is known of a runbook by itself: from this run, or from an earlier one.
    pub(super) fn verdict(&self, trial: &Trial) -> Option<Verdict> {
        let rows = self.rows.borrow();
        let mut own = rows.iter().filter(|row| row.runbook == trial.name && row.way == Way::Auto);
        let last = own.next_back().map(|row| if row.is_fine() { row.verdict } else { Verdict::Failed });
        last.or_else(|| trial.verdict())
    }

    /// Adds a measurement, and writes the files.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub(super) fn add(&self, row: Row) -> Result<()> {
        let mut rows = self.rows.borrow_mut();
        rows.push(row);
        rows.sort_by(|one, other| one.runbook.cmp(&other.runbook));
        drop(rows);
        self.keep()
    }

    /// All measurements.
    pub(super) fn rows(self) -> Vec<Row> {
        self.rows.into_inner()
    }

    fn keep(&self) -> Result<()> {
        let rows = self.rows.borrow();
        if self.verify.markdown {
            measured::keep(&self.root, &self.texts, &rows, &self.stamp)?;
            page::write(&self.root, false)?;
        }
        if let Some(path) = &self.verify.junit {
            papers::junit(path, &rows)?;
        }
        if let Some(path) = &self.verify.report {
            papers::markdown(path, &rows)?;
        }
        Ok(())
    }
}
