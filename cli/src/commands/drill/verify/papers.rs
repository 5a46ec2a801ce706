//! What many proofs leave: rows, tables, and files.

use std::{fs, path::Path, time::Duration};

use anyhow::{Context as _, Result};

use super::{Verify, alone, junit, laps, proof, proof::Proof};
use crate::terminal::out;

/// Proofs, and their reports.
#[derive(Debug, Default)]
pub(super) struct Papers {
    pub(super) proofs: Vec<Proof>,
    pub(super) junit: Vec<String>,
    pub(super) markdown: Vec<String>,
    pub(super) left: Vec<String>,
    /// Why it could not continue: the control room is gone, or somebody did not want to wait.
    pub(super) broken: Option<anyhow::Error>,
    /// Why times were not written: no lab continues then.
    pub(super) unwritten: Option<anyhow::Error>,
    /// Whether another lab has proven drills, too.
    pub(super) beside: bool,
}

impl Papers {
    /// Those of both; of two reasons to stop, the first counts.
    pub(super) fn and(mut self, other: Self) -> Self {
        self.proofs.extend(other.proofs);
        self.junit.extend(other.junit);
        self.markdown.extend(other.markdown);
        self.left.extend(other.left);
        self.broken = self.broken.or(other.broken);
        self.unwritten = self.unwritten.or(other.unwritten);
        self.beside |= other.beside;
        self
    }

    /// Whether there is a reason to begin no further drill.
    pub(super) fn must_stop(&self) -> bool {
        self.broken.is_some() || self.unwritten.is_some()
    }
}

impl Verify {
    /// Writes the files that were asked for.
    pub(super) fn write(&self, papers: &Papers) -> Result<()> {
        let write = |path: &Path, text: String| {
            fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
        };
        if let Some(path) = &self.junit {
            write(path, junit::joined(&papers.junit))?;
        }
        if let Some(path) = &self.markdown {
            let mut page = format!("# Drills\n\n{}", proof::table(&papers.proofs));
            page.push_str(&alone::section(&papers.proofs));
            if self.timings {
                page.push_str(&format!("\n## Timings\n\n{}", proof::timings(&papers.proofs)));
                page.push_str(&format!("\n## Where the time went\n\n{}", laps::table(&papers.proofs)));
            }
            for report in &papers.markdown {
                page.push_str(&format!("\n{}\n", report.trim()));
            }
            write(path, page)?;
        }
        Ok(())
    }

    /// Prints the tables; `took` is the time of all.
    pub(super) fn print(&self, papers: &Papers, took: Duration) {
        proof::print(&papers.proofs, took);
        alone::print(&papers.proofs);
        if self.timings {
            proof::print_timings(&papers.proofs);
            laps::print(&papers.proofs);
        }
        if !papers.left.is_empty() {
            out!("");
            out!("not run: {}", papers.left.join(", "));
        }
    }
}
