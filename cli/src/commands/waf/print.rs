//! Rules for people.

use switchboard::{Firewall, Replica, Rule};

use crate::terminal::out;

/// One line on a whole firewall.
pub(super) fn state(firewall: &Firewall) -> String {
    let word = |on: bool| if on { "on" } else { "OFF" };
    let in_force = firewall.rules.iter().filter(|rule| rule.mode != "off").count();
    format!(
        "firewall {}, {in_force} of {} rules in force, regex-guard {}",
        word(firewall.enabled),
        firewall.rules.len(),
        word(firewall.guarded)
    )
}

/// A firewall, a line per rule.
pub(super) fn firewall(edge: &Replica, firewall: &Firewall) {
    out!("{edge}: {}", state(firewall));
    firewall.problems.iter().for_each(|problem| out!("  not in force: {problem}"));
    out!(
        "  {:22} {:9} {:13} {:>8} {:>8} {:>9} {:>8} {:>8}",
        "rule",
        "mode",
        "engine",
        "cost",
        "blocked",
        "simulated",
        "overruns",
        "cpu"
    );
    firewall.rules.iter().for_each(line);
}

fn line(rule: &Rule) {
    let counts = rule.counts;
    out!(
        "  {:22} {:9} {:13} {:>8} {:>8} {:>9} {:>8} {:>6.1} s{}",
        rule.id,
        rule.mode,
        rule.engine,
        rule.cost,
        counts.blocked,
        counts.simulated,
        counts.overruns,
        counts.cpu_seconds,
        remark(rule)
    );
}

/// In what it differs from its file.
fn remark(rule: &Rule) -> String {
    if rule.pushed {
        return "  pushed".to_owned();
    }
    if rule.mode == rule.mode_of_file { String::new() } else { format!("  file: {}", rule.mode_of_file) }
}

/// One rule.
pub(super) fn rule(edge: &Replica, rule: &Rule) {
    out!("{edge}: {} ({})", rule.id, rule.title);
    out!("  mode     {}{}", rule.mode, remark(rule));
    out!("  engine   {}, at most {} steps for one request", rule.engine, rule.cost);
    out!("  looks at {}", rule.targets.join(", "));
    let counts = rule.counts;
    out!(
        "  counted  {} blocked, {} simulated, {} overruns, {:.1} s of a processor",
        counts.blocked,
        counts.simulated,
        counts.overruns,
        counts.cpu_seconds
    );
    for line in rule.rest.get("pattern").and_then(|pattern| pattern.as_str()).unwrap_or_default().lines() {
        out!("  | {line}");
    }
    for failure in rule.rest.get("failures").and_then(|failures| failures.as_array()).into_iter().flatten() {
        out!("  fails: {}", failure.as_str().unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rule(mode: &str, pushed: bool) -> Rule {
        let rule = json!({
            "id": "scanners", "title": "A program that looks for holes", "mode": mode, "mode_of_file": "enforce",
            "pushed": pushed, "engine": "linear", "targets": ["header:user-agent"], "cost": 100_000,
            "counts": {"blocked": 1, "simulated": 0, "overruns": 0, "steps": 7, "cpu_seconds": 0.1},
        });
        serde_json::from_value(rule).expect("a rule as the edge writes it")
    }

    #[test]
    fn the_state_says_what_is_off_and_how_many_rules_are_in_force() {
        let rules = vec![rule("enforce", false), rule("off", false), rule("simulate", true)];
        let mut firewall = Firewall { enabled: true, guarded: true, problems: Vec::new(), rules };
        assert_eq!(state(&firewall), "firewall on, 2 of 3 rules in force, regex-guard on");
        (firewall.enabled, firewall.guarded) = (false, false);
        assert_eq!(state(&firewall), "firewall OFF, 2 of 3 rules in force, regex-guard OFF");
    }

    #[test]
    fn a_rule_that_is_not_as_its_file_says_has_a_remark() {
        assert_eq!(remark(&rule("enforce", false)), "");
        assert_eq!(remark(&rule("off", false)), "  file: enforce");
        assert_eq!(remark(&rule("enforce", true)), "  pushed");
    }
}
