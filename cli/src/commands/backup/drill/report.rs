//! What one run of the drill found, for people and for scripts.

use std::fmt;

use reconcile::Report as Books;
use recovery::Loss;
use serde::Serialize;

use crate::commands::torture::{
    disaster::{Found, Went},
    rest::Settled,
};

/// One run.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    /// Whether it was within its bars, and the books hold.
    pass: bool,
    /// What the disaster cost.
    pub(super) loss: Loss,
    /// Seconds that `lab backup restore` took.
    restore_seconds: f64,
    /// Lost orders that their callers sent again.
    sent_again: usize,
    /// Seconds from the end of the load until everything was settled; absent if that did not happen in time.
    at_rest_after: Option<f64>,
    /// The contents of the databases.
    books: Option<Books>,
    /// Failed checks, one sentence each.
    violations: Vec<String>,
}

impl Report {
    /// Of what went, and how it settled; `within` says whether RPO and RTO are within their bars.
    pub(super) fn of(went: &Went, settled: &Settled, within: bool) -> Self {
        let mut violations = settled.violations.clone();
        if !within {
            violations.push("RPO or RTO is not within its bar".to_owned());
        }
        if went.loss.accepted == 0 {
            violations.push("no order was accepted before the disaster, so nothing was measured".to_owned());
        }
        Self {
            pass: violations.is_empty() && settled.after.is_some(),
            loss: went.loss,
            restore_seconds: went.seconds,
            sent_again: went.lost.len(),
            at_rest_after: settled.after.map(|after| after.as_secs_f64()),
            books: settled.books.clone(),
            violations,
        }
    }
}

impl Found for Report {
    fn pass(&self) -> bool {
        self.pass
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Loss { accepted, lost, rpo_seconds, rto_seconds } = self.loss;
        let rto = rto_seconds.map_or_else(|| "unknown".to_owned(), |seconds| format!("{seconds:.1} s"));
        writeln!(f, "{}: RPO {rpo_seconds:.1} s, RTO {rto}", if self.pass { "pass" } else { "FAIL" })?;
        writeln!(f, "  {lost} of {accepted} accepted orders were lost, and {} sent again", self.sent_again)?;
        writeln!(f, "  the restore itself took {:.1} s", self.restore_seconds)?;
        let (lost, doubled) = self.books.as_ref().map_or((0, 0), |books| (books.lost, books.doubled));
        match self.at_rest_after {
            Some(seconds) => writeln!(f, "  settled after {seconds:.1} s: {lost} lost, {doubled} doubled")?,
            None => writeln!(f, "  not settled: {lost} lost, {doubled} doubled")?,
        }
        self.violations.iter().try_for_each(|violation| writeln!(f, "  violated: {violation}"))
    }
}
