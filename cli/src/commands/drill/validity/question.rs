//! The questions that are asked about a drill, and how long they take.

use std::time::Duration;

use clap::ValueEnum;
use drill::{Drill, model::FaultKind, names::Expected};

/// A question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Check {
    /// The solution passes.
    Solution,
    /// Doing nothing fails, unless nothing is wrong.
    Nothing,
    /// A restart of every service ends as the drill states.
    RestartAll,
    /// Each mutation of the detection is noticed.
    Mutations,
    /// Two runs with one seed set the same faults.
    Seeds,
    /// Nothing that a trainee can read names a fault.
    Leaks,
}

impl Check {
    /// All of them.
    pub(super) const ALL: [Self; 6] =
        [Self::Solution, Self::Nothing, Self::RestartAll, Self::Mutations, Self::Seeds, Self::Leaks];
    /// Those that a run of the solution answers.
    pub(super) const OF_SOLUTION: [Self; 3] = [Self::Solution, Self::Mutations, Self::Seeds];
    /// Those that a run answers in which nobody does anything.
    pub(super) const OF_NOTHING: [Self; 3] = [Self::Nothing, Self::Seeds, Self::Leaks];

    /// As a sheet and the command name it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Solution => "solution",
            Self::Nothing => "nothing",
            Self::RestartAll => "restart-all",
            Self::Mutations => "mutations",
            Self::Seeds => "seeds",
            Self::Leaks => "leaks",
        }
    }

    /// Whether there is something to ask: where nothing is wrong, nothing is detected and nothing can be given away.
    pub(super) fn is_about(self, drill: &Drill) -> bool {
        match self {
            Self::Solution | Self::Nothing | Self::RestartAll => true,
            Self::Mutations | Self::Leaks => !drill.is_quiet(),
            Self::Seeds => has_points(drill),
        }
    }
}

/// Whether faults decide something by a seed; a rule of the firewall decides nothing.
fn has_points(drill: &Drill) -> bool {
    drill.faults.iter().any(|fault| fault.kind == FaultKind::Point)
}

/// The least time that the answers to these questions take: in each run, the baseline, and what a run waits for before it
/// may say that nothing recovered.
pub(super) fn least(drill: &Drill, asked: &[Check]) -> Duration {
    let asks = |checks: &[Check]| checks.iter().any(|check| asked.contains(check));
    let run = |end: Duration| drill.baseline.holds + drill.observe + end;
    let waits = |expected: Expected| match expected {
        Expected::Fails => run(drill.oracle.within),
        _ => run(drill.oracle.good_for),
    };
    let mut least = Duration::ZERO;
    if asks(&Check::OF_SOLUTION) {
        least += run(drill.oracle.good_for);
    }
    if asks(&Check::OF_NOTHING) {
        least += waits(drill.validity.nothing);
    }
    if asks(&[Check::RestartAll]) {
        least += waits(drill.validity.restart_all);
    }
    least
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::commands::drill::files;

    #[test]
    fn a_question_is_asked_only_where_it_has_an_answer() {
        let drills = files::all(&Path::new(env!("CARGO_MANIFEST_DIR")).join("..")).unwrap();
        let of = |name: &str| -> Vec<&str> {
            let about = Check::ALL.iter().filter(|check| check.is_about(&drills[name]));
            about.map(|check| check.name()).collect()
        };
        assert_eq!(of("noon").len(), 6);
        assert_eq!(of("false-alarm"), ["solution", "nothing", "restart-all"]);
        assert!(!of("closed-shutters").contains(&"seeds"), "a part that is stopped decides nothing");
        for check in Check::ALL {
            assert_eq!(check.to_possible_value().unwrap().get_name(), check.name());
        }
    }

    #[test]
    fn to_know_that_nothing_recovers_takes_the_time_of_a_recovery() {
        let drills = files::all(&Path::new(env!("CARGO_MANIFEST_DIR")).join("..")).unwrap();
        let noon = &drills["noon"];
        let (solution, nothing) = (least(noon, &[Check::Mutations]), least(noon, &[Check::Leaks]));
        assert_eq!(nothing - solution, noon.oracle.within - noon.oracle.good_for);
        assert_eq!(least(noon, &Check::ALL), solution + nothing * 2, "a restart of everything fails, too");
        assert_eq!(least(noon, &[]), Duration::ZERO);
    }
}
