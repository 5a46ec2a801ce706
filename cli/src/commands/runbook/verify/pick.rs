//! What is measured, and in which order.
//!
//! All runbooks are measured in one way before the next way begins: what a measurement leaves in windows that look back, such as
//! a process that is new, is over when its runbook has its next turn.

use std::cmp::Reverse;

use super::{
    fault::{Fault, burns, outlasts},
    measured::Kept,
    report::Verdict,
    way::Way,
};

/// A part of all runbooks, such as 2/5.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part {
    /// From 1.
    number: usize,
    of: usize,
}

/// Reads `2/5`.
pub(super) fn part(text: &str) -> Result<Part, String> {
    let numbers = text
        .split_once('/')
        .and_then(|(one, of)| Some((one.parse::<usize>().ok()?, of.parse::<usize>().ok()?)));
    match numbers {
        Some((number, of)) if (1..=of).contains(&number) => Ok(Part { number, of }),
        _ => Err("expected a part and how many there are, such as 2/5".to_owned()),
    }
}

impl Part {
    /// Every fifth of five, so that those that are alike, and take long, are in different parts.
    pub(super) fn choose(self, names: Vec<String>) -> Vec<String> {
        let own = |(at, _): &(usize, String)| at % self.of == self.number - 1;
        names.into_iter().enumerate().filter(own).map(|(_, name)| name).collect()
    }
}

/// A runbook that is tried.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Trial {
    pub(super) name: String,
    pub(super) fault: Fault,
    /// Whether it has an act.
    pub(super) acts: bool,
    /// What an earlier run has measured of the same text.
    pub(super) kept: Option<Kept>,
}

impl Trial {
    /// What is kept of it by itself.
    pub(super) fn verdict(&self) -> Option<Verdict> {
        self.kept.as_ref()?.auto.as_ref().map(|auto| auto.verdict)
    }

    /// Whether a way is known.
    fn has(&self, way: Way) -> bool {
        self.kept.as_ref().is_some_and(|kept| kept.has(way))
    }
}

/// A measurement that is about to be made.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Task<'t> {
    pub(super) trial: &'t Trial,
    pub(super) way: Way,
    /// The way that follows at once, with the budget that this one has spent.
    pub(super) also: Option<Way>,
}

/// Every measurement, in order; only those that are not known yet if `unmeasured`. If several labs work side by side, what lasts
/// longest comes first, so that no lab waits long for the last one. Before that comes what looks at budgets: in a row, each needs
/// a Prometheus that forgets only once.
pub(super) fn rounds<'t>(
    trials: &[&'t Trial],
    ways: &[Way],
    repeat: u32,
    unmeasured: bool,
    longest_first: bool,
) -> Vec<Task<'t>> {
    let mut trials = trials.to_vec();
    if longest_first {
        trials.sort_by_key(|trial| (!burns(&trial.name, &trial.fault), Reverse(trial.fault.ttl)));
    }
    let wanted = |trial: &Trial, way: Way| ways.contains(&way) && !(unmeasured && trial.has(way));
    let shared = |trial: &Trial| {
        outlasts(&trial.name) && [Way::Auto, Way::Manual].into_iter().all(|way| wanted(trial, way))
    };
    let mut tasks = Vec::new();
    for &way in ways {
        for _ in 0..repeat {
            for &trial in &trials {
                // What shares a budget has been measured by the time that its own round comes.
                if wanted(trial, way) && !(way == Way::Manual && shared(trial)) {
                    let also = (way == Way::Auto && shared(trial)).then_some(Way::Manual);
                    tasks.push(Task { trial, way, also });
                }
            }
        }
    }
    tasks
}

/// Whether a measurement says something, by the verdict of the runbook by itself, as far as that is known. Where no act has
/// helped, it ended as it does if nobody acts.
pub(super) const fn is_news(way: Way, acts: bool, auto: Option<Verdict>) -> bool {
    match way {
        Way::Nobody => acts && matches!(auto, Some(Verdict::Helped) | None),
        Way::Manual | Way::Auto | Way::Untried => true,
    }
}

/// Whether the acts of a runbook are known not to end its alert. Then a person may remove the cause as soon as they are done, and
/// nobody has to wait until it ends by itself once more.
pub(super) const fn is_vain(way: Way, auto: Option<Verdict>) -> bool {
    matches!((way, auto), (Way::Manual, Some(Verdict::Waited)))
}

#[cfg(test)]
mod tests {
    use super::{
        super::{fault, measured::tests as kept},
        *,
    };

    fn trial(name: &str, ttl: &str, kept: Option<Kept>) -> Trial {
        let page = format!("\n## Try it in the lab\n\nlab break order-api http-error ttl={ttl}\n");
        Trial { name: name.to_owned(), fault: fault::read(&page).unwrap(), acts: true, kept }
    }

    #[test]
    fn parts_have_each_name_once() {
        let names: Vec<String> = (0..12).map(|number| number.to_string()).collect();
        let of = |text: &str| part(text).unwrap().choose(names.clone());
        assert_eq!(of("2/5"), ["1", "6", "11"]);
        let mut all: Vec<String> = (1..=5).flat_map(|number| of(&format!("{number}/5"))).collect();
        all.sort_by_key(|name| name.parse::<u32>().unwrap());
        assert_eq!((all, of("1/1")), (names.clone(), names.clone()));
        for wrong in ["", "2", "0/5", "6/5", "1/0", "a/5", "-1/5"] {
            assert!(part(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_way_ends_before_the_next_one_begins_and_what_is_known_is_left_out() {
        let known = kept::measured(&[kept::row(Way::Auto, 30.0, Verdict::Helped)])["A"].clone();
        let (one, other) = (trial("A", "2m", Some(known)), trial("B", "10m", None));
        let ways = [Way::Auto, Way::Manual];
        let names = |tasks: Vec<Task<'_>>| -> Vec<String> {
            tasks.iter().map(|task| format!("{} {}", task.trial.name, task.way)).collect()
        };
        let all = names(rounds(&[&one, &other], &ways, 1, false, false));
        assert_eq!(all, ["A auto", "B auto", "A manual", "B manual"]);
        let rest = names(rounds(&[&one, &other], &ways, 1, true, true));
        assert_eq!(rest, ["B auto", "B manual", "A manual"]);
        assert_eq!(rounds(&[&one], &ways, 3, false, false).len(), 6);
    }

    #[test]
    fn both_ways_share_a_budget_that_takes_minutes_to_spend() {
        let (one, other) = (trial("A", "2m", None), trial("BBudgetSpent", "10m", None));
        let ways = [Way::Auto, Way::Manual];
        let tasks = |ways: &[Way]| -> Vec<(String, Option<Way>)> {
            let tasks = rounds(&[&one, &other], ways, 1, false, false);
            tasks.iter().map(|task| (format!("{} {}", task.trial.name, task.way), task.also)).collect()
        };
        let both: [(&str, Option<Way>); 3] =
            [("A auto", None), ("BBudgetSpent auto", Some(Way::Manual)), ("A manual", None)];
        assert_eq!(tasks(&ways), both.map(|(task, also)| (task.to_owned(), also)));
        let guided: [(&str, Option<Way>); 2] = [("A manual", None), ("BBudgetSpent manual", None)];
        assert_eq!(tasks(&ways[1..]), guided.map(|(task, also)| (task.to_owned(), also)));
    }

    #[test]
    fn what_looks_at_budgets_is_measured_in_a_row() {
        let trials = [trial("A", "9m", None), trial("BBudgetBurn", "3m", None), trial("C", "10m", None)];
        let trials: Vec<&Trial> = trials.iter().collect();
        let tasks = rounds(&trials, &[Way::Auto], 1, false, true);
        let names: Vec<&str> = tasks.iter().map(|task| task.trial.name.as_str()).collect();
        assert_eq!(names, ["BBudgetBurn", "C", "A"]);
    }

    #[test]
    fn nobody_is_compared_only_with_what_helped() {
        use Verdict::{Failed, HeldBack, Helped, Waited};
        assert!(is_news(Way::Nobody, true, Some(Helped)) && is_news(Way::Nobody, true, None));
        for auto in [Waited, HeldBack, Failed] {
            assert!(
                !is_news(Way::Nobody, true, Some(auto)) && is_news(Way::Manual, true, Some(auto)),
                "{auto:?}"
            );
        }
        assert!(!is_news(Way::Nobody, false, None) && is_news(Way::Manual, false, None));
    }

    #[test]
    fn a_cause_is_removed_early_only_after_a_measurement_that_waited_for_its_end() {
        assert!(is_vain(Way::Manual, Some(Verdict::Waited)));
        assert!(!is_vain(Way::Auto, Some(Verdict::Waited)) && !is_vain(Way::Nobody, Some(Verdict::Waited)));
        assert!(!is_vain(Way::Manual, Some(Verdict::Helped)) && !is_vain(Way::Manual, None));
    }
}
