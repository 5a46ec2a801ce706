//! Which of the long tests a run takes: all of them, or the part of the day.

use anyhow::Result;

use crate::shell::Shell;

/// The long tests are in this number of parts, of which a run takes one unless it is asked for all.
pub(crate) const PARTS: usize = 5;
const DAY: u64 = 24 * 60 * 60;

/// The long tests of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Long {
    All,
    /// The part with this index.
    Part(usize),
}

impl Long {
    /// The part of the day on which the commit that is checked out was made. So a commit always gets the same tests, and the
    /// commits of some days get all.
    pub(crate) fn of_the_day(shell: &Shell) -> Result<Self> {
        let made = shell.output("git", &["log", "-1", "--format=%ct"])?;
        Ok(Self::Part(part(made.trim().parse()?)))
    }

    /// What of `parts` runs.
    pub(crate) fn of<T: Copy>(self, parts: &[T; PARTS]) -> Vec<T> {
        match self {
            Self::All => parts.to_vec(),
            Self::Part(index) => vec![parts[index]],
        }
    }
}

/// Of a time in seconds since 1970.
fn part(seconds: u64) -> usize {
    usize::try_from(seconds / DAY).unwrap_or_default() % PARTS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_days_in_a_row_run_every_part() {
        let all: [usize; PARTS] = std::array::from_fn(|index| index);
        let days = (0..).map(|day| 1_800_000_000 + day * DAY).take(PARTS);
        let mut taken: Vec<_> = days.flat_map(|seconds| Long::Part(part(seconds)).of(&all)).collect();
        taken.sort_unstable();
        assert_eq!(taken, all);
        assert_eq!(Long::All.of(&all), all);
    }
}
