//! More visitors than the lab's own load has: a second load generator, beside it, for as long as an experiment takes. It
//! ends with the experiment, and by itself if this command is killed.

use std::{fmt, process::Stdio, time::Duration};

use anyhow::{Context as _, Result, bail};
use serde_saphyr::Spanned;
use tokio::process::{Child, Command};
use yaml::Reader;

use super::shape::RawCrowd;
use crate::{commands::written::Values as _, installation::Installation, parts::programs, terminal::say};

/// Most visitors per second: a lab on two cores has to answer them beside its own.
const MOST_RPS: f64 = 500.0;
/// The users that user-service begins with.
const MOST_USERS: u32 = contracts::users::SEEDED_USERS;
/// The largest exponent that the load generator takes.
const STEEPEST: f64 = 10.0;

/// Who comes.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Crowd {
    /// Requests per second.
    rps: f64,
    /// Determines users, operations and times.
    pub(super) seed: u64,
    /// The only operation; absent for the mix of the shop.
    operation: Option<String>,
    /// Only so few users; absent for all of them.
    users: Option<u32>,
    /// How uneven they are: 0 is evenly; absent for the load generator's default.
    zipf: Option<f64>,
}

impl fmt::Display for Crowd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} more requests per second", self.rps)?;
        if let Some(operation) = &self.operation {
            write!(f, " ({operation})")?;
        }
        match self.users {
            Some(1) => f.write_str(" of one user"),
            Some(users) => write!(f, " of {users} users"),
            None => Ok(()),
        }
    }
}

/// Reads who comes.
pub(super) fn crowd(reader: &mut Reader<'_>, raw: &RawCrowd) -> Option<Crowd> {
    let rps = within(reader, &raw.rps, "crowd.rps", (1.0, MOST_RPS));
    let users = match &raw.users {
        None => Some(None),
        Some(users) if (1..=MOST_USERS).contains(&users.value) => Some(Some(users.value)),
        Some(users) => {
            reader.wrong(users, "crowd.users", format!("expected 1 to {MOST_USERS}, found {}", users.value));
            None
        }
    };
    let zipf = match &raw.zipf {
        None => Some(None),
        Some(zipf) => within(reader, zipf, "crowd.zipf", (0.0, STEEPEST)).map(Some),
    };
    let operation = match &raw.operation {
        None => Some(None),
        Some(operation) => reader.line(operation, "crowd.operation").map(Some),
    };
    Some(Crowd { rps: rps?, seed: raw.seed, operation: operation?, users: users?, zipf: zipf? })
}

fn within(reader: &mut Reader<'_>, at: &Spanned<f64>, field: &str, (least, most): (f64, f64)) -> Option<f64> {
    reader.take(at, field, yaml::within(at.value, least, most))
}

impl Crowd {
    /// Begins, for at most `lasts`.
    ///
    /// # Errors
    /// When the lab is not on this machine, has no edge, or the load generator cannot be started.
    pub(super) fn come(&self, place: &Installation, lasts: Duration) -> Result<Visitors> {
        let home = place.all_here("chaos")?;
        let port = home.lab()?.port("edge").context("this lab has no edge: see `lab status`")?;
        let load = programs::ours("load")?;
        say(self);
        let child = Command::new(&load)
            .args(self.arguments(&format!("http://127.0.0.1:{port}"), lasts))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .kill_on_drop(true)
            // Ctrl-C reaches only this command, which ends the experiment in order.
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot start {}", load.display()))?;
        Ok(Visitors(child))
    }

    /// The words for the load generator.
    fn arguments(&self, shop: &str, lasts: Duration) -> Vec<String> {
        let mut words: Vec<String> =
            ["--no-admin", "--json", "--order-api", shop, "--user-service", shop].map(str::to_owned).into();
        words.push(format!("--rate={}", self.rps));
        words.push(format!("--seed={}", self.seed));
        words.push(format!("--duration={}s", lasts.as_secs()));
        words.extend(self.operation.as_ref().map(|operation| format!("--operation={operation}")));
        words.extend(self.users.map(|users| format!("--users={users}")));
        words.extend(self.zipf.map(|zipf| format!("--zipf={zipf}")));
        words
    }
}

/// A crowd that has come. It leaves when this is dropped.
pub(super) struct Visitors(Child);

impl Visitors {
    /// They leave.
    ///
    /// # Errors
    /// When they had left before: then not every pass had them.
    pub(super) async fn leave(mut self) -> Result<()> {
        if let Some(status) = self.0.try_wait()? {
            bail!("the crowd left early: its load generator ended with {status}");
        }
        Ok(self.0.kill().await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::chaos::experiment::file::read;

    const EXAMPLE: &str = "\
title: A popular user
hypothesis: Few reads reach the database.
scope: {services: [user-service], budget: 10%}
steady_state: [{name: users are read, query: up}]
method: [{lasts: 5s}]
crowd: {rps: 150, operation: read-user, users: 1, zipf: 0, seed: 7}
";

    #[test]
    fn a_crowd_is_a_sentence_and_the_words_of_the_load_generator() {
        let crowd = read("x.yaml", EXAMPLE).unwrap().crowd.unwrap();
        assert_eq!(crowd.to_string(), "150 more requests per second (read-user) of one user");
        let words = crowd.arguments("http://127.0.0.1:8000", Duration::from_secs(600)).join(" ");
        assert_eq!(
            words,
            "--no-admin --json --order-api http://127.0.0.1:8000 --user-service http://127.0.0.1:8000 --rate=150 \
             --seed=7 --duration=600s --operation=read-user --users=1 --zipf=0"
        );
        let plain = EXAMPLE.replace(", operation: read-user, users: 1, zipf: 0", "");
        let plain = read("x.yaml", &plain).unwrap().crowd.unwrap();
        assert_eq!(plain.to_string(), "150 more requests per second");
    }

    #[test]
    fn a_mistake_has_its_field() {
        for (from, to, said) in [
            ("rps: 150", "rps: 0", "x.yaml:6: crowd.rps: expected 1 to 500, found 0"),
            ("users: 1", "users: 10001", "x.yaml:6: crowd.users: expected 1 to 10000, found 10001"),
            ("zipf: 0", "zipf: -1", "x.yaml:6: crowd.zipf: expected 0 to 10, found -1"),
            (", seed: 7", "", "seed"),
        ] {
            assert_ne!(EXAMPLE.replace(from, to), EXAMPLE, "{from}");
            let problems = read("x.yaml", &EXAMPLE.replace(from, to)).unwrap_err().to_string();
            assert!(problems.contains(said), "{to}: {problems}");
        }
    }

    #[tokio::test]
    async fn a_crowd_that_left_early_is_an_error() {
        let begin = |program: &str, argument: &str| {
            Visitors(Command::new(program).arg(argument).kill_on_drop(true).spawn().unwrap())
        };
        begin("sleep", "60").leave().await.unwrap();
        let mut gone = begin("sleep", "0");
        gone.0.wait().await.unwrap();
        assert!(gone.leave().await.unwrap_err().to_string().contains("left early"));
    }
}
