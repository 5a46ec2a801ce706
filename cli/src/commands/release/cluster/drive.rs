//! Drives a release until it is over: does what is next, writes it down, tells people.
//!
//! Nobody judges a canary whose driver is gone. So Ctrl-C, and closing the terminal, stop the release: the old version gets every
//! request back. After SIGKILL, the next `lab release start` or `abort` continues.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use chrono::Utc;
use release::{
    Run,
    drive::{PERIOD, Turn, turn},
    run::{Refused, What},
};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::{journal::Journal, tell::Teller, world::There};
use crate::signals::{self, Hangup};

/// Drives the release that is under way until it is over.
///
/// # Errors
/// When its file cannot be written, or a second Ctrl-C leaves it as it is.
pub(super) async fn drive(there: &There<'_>, journal: &mut Journal, mut teller: Teller<'_>) -> Result<Run> {
    let (stop, leave) = (CancellationToken::new(), CancellationToken::new());
    let words = "\nstopping the release: the old version gets every request back (again: leaves it as it is)";
    tokio::spawn(signals::listen(stop.clone(), leave.clone(), Hangup::Ends, words));
    match leave.run_until_cancelled(to_the_end(there, journal, &mut teller, &stop)).await {
        Some(ended) => ended,
        None => {
            bail!("the release is left as it is, and nobody judges it: lab release abort or start continues")
        }
    }
}

async fn to_the_end(
    there: &There<'_>,
    journal: &mut Journal,
    teller: &mut Teller<'_>,
    stop: &CancellationToken,
) -> Result<Run> {
    loop {
        journal.refresh()?;
        let run = journal.runs().last().context("there is no release to drive")?.clone();
        teller.progress(&run)?;
        teller.report(journal).await;
        let (event, pause) = match next(there, &run, stop).await {
            Ok(Turn::Over) => {
                teller.close(journal).await;
                return Ok(run);
            }
            Ok(Turn::Wait(pause)) => (None, pause),
            Ok(Turn::Record(what)) => {
                let pause = if matches!(*what, What::Measured { .. }) { PERIOD } else { Duration::ZERO };
                (Some(what.at(Utc::now())), pause)
            }
            Err(error) => {
                teller.complain(&format!("{error:#}"));
                (None, PERIOD)
            }
        };
        if let Some(event) = event {
            match journal.record(&event) {
                Ok(()) => {}
                // A person was quicker: something else is next.
                Err(error) if error.is::<Refused>() => {}
                Err(error) => return Err(error),
            }
        }
        if stop.is_cancelled() {
            sleep(pause).await;
        } else {
            // A wish to stop waits for nothing.
            stop.run_until_cancelled(sleep(pause)).await;
        }
    }
}

/// What is next: to stop, once, if somebody wants that.
async fn next(there: &There<'_>, run: &Run, stop: &CancellationToken) -> Result<Turn> {
    if stop.is_cancelled() && run.end().is_none() && run.state() != "rolling-back" {
        let (by, why) = (run.plan().by.clone(), "the terminal that drove it was interrupted".to_owned());
        return Ok(Turn::Record(Box::new(What::Aborted { by, why })));
    }
    turn(there, run, Utc::now()).await
}
