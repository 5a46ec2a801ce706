//! Waits until the system is steady: every condition holds, and no page fires.

use std::time::Duration;

use anyhow::Result;
use chrono::{DateTime, Utc};
use tokio::time::{Instant, sleep};

use super::{found::LOOK, pass::Stage};

/// A wait for a steady system.
pub(super) struct Calm {
    /// What is not steady, if it did not become so.
    pub(super) outcome: std::result::Result<(), String>,
    /// When a condition was last seen not to hold.
    pub(super) bad: Option<DateTime<Utc>>,
    /// Whether what is not steady is a condition, and not a page.
    pub(super) condition: bool,
}

/// What is not steady.
enum Unsteady {
    Condition(String),
    Page(String),
}

impl Stage<'_> {
    /// Waits until every condition has held for so long, and no page fires; or what does not hold.
    pub(super) async fn steady(&self, holds: Duration, within: Duration) -> Result<Calm> {
        let begun = Instant::now();
        let (mut since, mut bad) = (None, None);
        loop {
            let unsteady = self.unsteady().await?;
            let condition = matches!(unsteady, Some(Unsteady::Condition(_)));
            if condition {
                bad = Some(Utc::now());
            }
            match unsteady {
                None => {
                    let since = *since.get_or_insert_with(Instant::now);
                    if since.elapsed() >= holds {
                        return Ok(Calm { outcome: Ok(()), bad, condition });
                    }
                }
                Some(Unsteady::Condition(why) | Unsteady::Page(why))
                    if begun.elapsed() >= within || self.stop.is_cancelled() =>
                {
                    return Ok(Calm { outcome: Err(why), bad, condition });
                }
                Some(_) => since = None,
            }
            sleep(LOOK).await;
        }
    }

    /// What is not steady now.
    async fn unsteady(&self) -> Result<Option<Unsteady>> {
        for check in &self.experiment.steady {
            let (holds, seen) = self.eyes.holds(&check.query).await?;
            if !holds {
                let why = format!("{}: {} (seen: {seen})", check.name, check.query);
                return Ok(Some(Unsteady::Condition(why)));
            }
        }
        let page = self.eyes.firing(false).await?.into_iter().next();
        Ok(page.map(|page| Unsteady::Page(format!("{page} pages"))))
    }
}
