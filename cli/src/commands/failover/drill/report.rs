//! What one run of the drill found, for people and for scripts.

use std::fmt;

use reconcile::Report as Books;
use recovery::Loss;
use serde::Serialize;

use crate::{
    commands::torture::{
        disaster::{Found, Went},
        rest::Settled,
    },
    parts::postgres::Confirm,
};

/// One run.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    /// Whether it was within its limits, and the books hold.
    pass: bool,
    /// What a commit waited for: `async` or `sync`.
    replica: &'static str,
    /// What the loss of the primary cost.
    loss: Loss,
    /// Seconds that `lab failover` took, with the building of a new replica.
    failover_seconds: f64,
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
    /// Of what went, and how it settled; `within` says whether RPO and RTO are within their limits.
    pub(super) fn of(replica: Confirm, went: &Went, settled: &Settled, within: bool) -> Self {
        let mut violations = settled.violations.clone();
        violations.extend(complaints(replica, &went.loss, within));
        Self {
            pass: violations.is_empty() && settled.after.is_some(),
            replica: replica.as_str(),
            loss: went.loss,
            failover_seconds: went.seconds,
            sent_again: went.lost.len(),
            at_rest_after: settled.after.map(|after| after.as_secs_f64()),
            books: settled.books.clone(),
            violations,
        }
    }
}

/// What the loss itself violates.
fn complaints(replica: Confirm, loss: &Loss, within: bool) -> Vec<String> {
    let mut complaints = Vec::new();
    if !within {
        complaints.push("RPO or RTO is not within its limit".to_owned());
    }
    if replica == Confirm::Sync && loss.lost > 0 {
        complaints
            .push(format!("{} accepted orders were lost, and a synchronous replica has all", loss.lost));
    }
    if loss.accepted == 0 {
        complaints.push("no order was accepted before the failover, so nothing was measured".to_owned());
    }
    complaints
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
        let verdict = if self.pass { "pass" } else { "FAIL" };
        writeln!(f, "{verdict}, {}: RPO {rpo_seconds:.1} s, RTO {rto}", self.replica)?;
        writeln!(f, "  {lost} of {accepted} accepted orders were lost, and {} sent again", self.sent_again)?;
        writeln!(f, "  lab failover took {:.1} s, with a new replica", self.failover_seconds)?;
        let (lost, doubled) = self.books.as_ref().map_or((0, 0), |books| (books.lost, books.doubled));
        match self.at_rest_after {
            Some(seconds) => writeln!(f, "  settled after {seconds:.1} s: {lost} lost, {doubled} doubled")?,
            None => writeln!(f, "  not settled: {lost} lost, {doubled} doubled")?,
        }
        self.violations.iter().try_for_each(|violation| writeln!(f, "  violated: {violation}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_lost_order_is_too_many_for_a_synchronous_replica_and_counted_for_an_asynchronous_one() {
        let loss = Loss { accepted: 100, lost: 1, rpo_seconds: 0.1, rto_seconds: Some(2.0) };
        assert_eq!(complaints(Confirm::Async, &loss, true), Vec::<String>::new());
        assert_eq!(
            complaints(Confirm::Sync, &loss, true),
            ["1 accepted orders were lost, and a synchronous replica has all"]
        );
        let none = Loss { accepted: 0, lost: 0, ..loss };
        assert_eq!(complaints(Confirm::Sync, &none, false).len(), 2);
    }
}
