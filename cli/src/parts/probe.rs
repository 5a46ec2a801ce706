//! The synthetic probes: a process of their own beside the load generator, so that one works while the other does not.

use anyhow::Result;
use slo::Clock;
use supervisor::{Part, part::Line, probe::Probe};

use super::{edge, environment, programs, table::Choices};

/// Its name.
pub(crate) const PROBE: &str = "probe";
/// The port that it is asked at.
const ADMIN: &str = "probe-admin";
/// The program that has it as a mode, and that mode.
const PROGRAM: (&str, &str) = ("load", "probe");
/// Time from one round of attacks to the next, in seconds, on the production clock.
const FIREWALL_EVERY: u64 = 300;

/// The probes, in front of the edge.
///
/// # Errors
/// When the program was not built.
pub(super) fn part(choices: &Choices) -> Result<Part> {
    let (name, mode) = PROGRAM;
    let program = programs::ours(name)?;
    let settings = environment::settings_of(&program, &[mode])?;
    Ok(placed(environment::frugal(Line::new(program)).args([mode]).keep(settings), choices))
}

fn placed(line: Line, choices: &Choices) -> Part {
    let (admin, edge) = (choices.ports.get(ADMIN), choices.ports.get(edge::EDGE));
    let line = line
        .env("LOG_FORMAT", "json")
        .env("ADMIN_ADDR", format!("127.0.0.1:{admin}"))
        .env("PROBE_URL", format!("http://127.0.0.1:{edge}"))
        .env("PROBE_FIREWALL_EVERY", firewall_every(choices.timing.clock));
    let line = if choices.staging {
        let staging = choices.ports.get(edge::STAGING);
        line.env("PROBE_STAGING_URL", format!("http://127.0.0.1:{staging}"))
    } else {
        line
    };
    let ready = Probe::Http(format!("http://127.0.0.1:{admin}/readyz"));
    // It has an admin port, but nothing that can be broken.
    let part = Part::new(PROBE, line, ready).port(ADMIN, admin).after(&[edge::EDGE]);
    if choices.staging { part.after(&[edge::STAGING]) } else { part }
}

fn firewall_every(clock: Clock) -> String {
    format!("{}s", FIREWALL_EVERY / clock.divisor())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parts::edge::tests::choices;

    #[test]
    fn a_round_of_attacks_comes_every_five_minutes_of_the_labs_clock() {
        assert_eq!(firewall_every(Clock::Lab), "5s");
        assert_eq!(firewall_every(Clock::Production), "300s");
    }

    #[test]
    fn attacks_go_to_the_staging_edge_if_there_is_one() {
        let attacked = |staging: bool| {
            let part = placed(Line::default(), &Choices { staging, ..choices(&[], &[]) });
            let url = part.command.env.into_iter().find(|(name, _)| name == "PROBE_STAGING_URL");
            (part.after, url.map(|(_, value)| value))
        };
        assert_eq!(attacked(false), (vec!["edge".to_owned()], None));
        let both = ["edge", "edge-staging"].map(str::to_owned).to_vec();
        assert_eq!(attacked(true), (both, Some("http://127.0.0.1:8010".to_owned())));
    }
}
