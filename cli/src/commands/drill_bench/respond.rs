//! One run by a program: begin, wait for a healthy shop, start the program, look until it is over, count.

use std::time::Instant;

use anyhow::{Result, bail};
use serde::{Deserialize, Serialize};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::{
    responder::{Responder, Running},
    room::{Order, Room, Run},
    walls::Walls,
};
use crate::commands::drill::client::LOOK;

/// How a program did in one run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Attempt {
    /// The drill.
    pub(super) drill: String,
    /// The number of the run.
    pub(super) run: i64,
    /// The seed, if it was asked for.
    pub(super) seed: Option<u64>,
    /// passed, failed, invalid, aborted, timed-out.
    pub(super) verdict: String,
    /// 0 to 100; none for a run that never began.
    pub(super) score: Option<f64>,
    /// How long the program worked.
    pub(super) seconds: f64,
    /// What it did to the system, in order.
    pub(super) acts: Vec<String>,
    /// How often it looked.
    pub(super) queries: u64,
    /// Its exit code; none if it was ended, because the run was over.
    pub(super) exit: Option<i32>,
}

impl Attempt {
    /// Whether it counts: the drill itself began, and nobody stopped it.
    pub(super) fn is_valid(&self) -> bool {
        !matches!(self.verdict.as_str(), "invalid" | "aborted")
    }

    /// Whether users were served again, by the drill's own judgement.
    pub(super) fn passed(&self) -> bool {
        self.verdict == "passed"
    }

    /// In a line.
    pub(super) fn words(&self) -> String {
        let score = self.score.map_or_else(String::new, |score| format!(", score {score:.0}"));
        let end = match self.exit {
            Some(0) => String::new(),
            Some(code) => format!(", the program ended with {code}"),
            None => ", the program was ended".to_owned(),
        };
        format!(
            "{}{score}, {} acts, {} queries, {:.0} s{end}",
            self.verdict,
            self.acts.len(),
            self.queries,
            self.seconds
        )
    }
}

/// How a program worked.
#[derive(Debug, Clone, Copy, Default)]
struct Worked {
    seconds: f64,
    exit: Option<i32>,
}

/// Lets a program respond to a drill; or says why this drill cannot run here. What it has not submitted when
/// it ends is submitted for it. `enough` ends the program and aborts the run.
pub(super) async fn respond(
    room: &Room,
    order: &Order<'_>,
    responder: &Responder,
    walls: &Walls,
    enough: &CancellationToken,
) -> Result<Result<Attempt, String>> {
    let Some(begun) = enough.run_until_cancelled(room.begin(order)).await else {
        bail!("ended by a signal while it waited; see `lab drill status`");
    };
    let run = match begun? {
        Ok(run) => run,
        Err(why) => return Ok(Err(why)),
    };
    // A program that still runs ends with this, and so does all that it started.
    let Some(ended) = enough.run_until_cancelled(whole(room, run.id, responder, walls)).await else {
        room.abort(run.id, "the bench was ended").await?;
        bail!("ended by a signal; run {} puts everything back", run.id)
    };
    let (ended, worked) = match ended {
        Ok(ended) => ended,
        Err(error) => {
            // The error is why; what nobody follows must not stay broken until its time is over.
            let _ = room.abort(run.id, "the bench failed").await;
            return Err(error);
        }
    };
    let usage = room.usage(ended.started_at).await?;
    Ok(Ok(attempt(order, ended, worked, usage.queries)))
}

/// From the baseline to the end.
async fn whole(room: &Room, id: i64, responder: &Responder, walls: &Walls) -> Result<(Run, Worked)> {
    let mut run = room.run(id).await?;
    while !run.has_begun() && !run.is_over() {
        sleep(LOOK).await;
        run = room.run(id).await?;
    }
    if run.is_over() {
        return Ok((run, Worked::default()));
    }
    // Empty, and gone afterwards.
    let folder = tempfile::tempdir()?;
    let began = Instant::now();
    let mut running = match responder.start(walls, folder.path(), room, id) {
        Ok(running) => running,
        Err(error) => {
            room.abort(id, "the responder cannot be started").await?;
            return Err(error);
        }
    };
    let mut worked = None;
    loop {
        run = room.run(id).await?;
        if worked.is_none() {
            worked = ended(&mut running, began)?;
            if worked.is_some() {
                room.submit(id).await?;
            }
        }
        // From the reset on there is nothing to do for a responder.
        let judged = run.is_over() || matches!(run.phase.as_str(), "reset" | "finished");
        if judged && worked.is_none() {
            running.stop().await;
            worked = Some(Worked { seconds: began.elapsed().as_secs_f64(), exit: None });
        }
        match worked {
            Some(worked) if run.is_over() => return Ok((run, worked)),
            _ => sleep(LOOK).await,
        }
    }
}

/// How the program worked, if it has ended by itself.
fn ended(running: &mut Running, began: Instant) -> Result<Option<Worked>> {
    let status = running.ended()?;
    // Ended by a signal: as shells count.
    Ok(status.map(|status| Worked {
        seconds: began.elapsed().as_secs_f64(),
        exit: Some(status.code().unwrap_or(128)),
    }))
}

fn attempt(order: &Order<'_>, run: Run, worked: Worked, queries: u64) -> Attempt {
    let drill = run.drill.or_else(|| order.drill.map(str::to_owned));
    Attempt {
        drill: drill.unwrap_or_else(|| "mystery".to_owned()),
        run: run.id,
        seed: order.seed,
        verdict: run.verdict.unwrap_or_else(|| "invalid".to_owned()),
        score: run.score.map(|score| score.total),
        seconds: worked.seconds,
        acts: run.acts,
        queries,
        exit: worked.exit,
    }
}

#[cfg(test)]
mod tests {
    use super::{super::room::Score, *};

    #[test]
    fn an_attempt_is_a_line_and_one_that_never_began_does_not_count() {
        let order = Order { drill: Some("noon"), seed: Some(2), responder: "x".to_owned() };
        let run = Run {
            id: 7,
            verdict: Some("timed-out".to_owned()),
            score: Some(Score { total: 12.4 }),
            acts: vec!["restart order-api".to_owned()],
            ..Run::default()
        };
        let attempt = attempt(&order, run, Worked { seconds: 93.4, exit: None }, 31);
        assert!(attempt.is_valid() && !attempt.passed());
        let words = "timed-out, score 12, 1 acts, 31 queries, 93 s, the program was ended";
        assert_eq!((&*attempt.drill, attempt.words().as_str()), ("noon", words));
        let never = super::attempt(&order, Run::default(), Worked { seconds: 0.0, exit: Some(1) }, 0);
        assert!(!never.is_valid(), "{never:?}");
        assert!(never.words().ends_with("the program ended with 1"), "{}", never.words());
    }
}
