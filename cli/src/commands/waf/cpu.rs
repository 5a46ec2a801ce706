//! The look at the edges' CPU before a rule goes to all of them. Every rule costs CPU, in every mode: without
//! room, it takes requests down in every edge at once.

use anyhow::{Result, bail};

use crate::{installation::Installation, parts::edge::EDGE, terminal::say};

/// CPU of the busiest edge, as a percentage of what it may use; the runbook `firewall-rule` asks the same.
const BUSIEST: &str = r#"max(avg_over_time(process_cpu_usage_percent{job="edge"}[10s]))"#;
/// From this percentage on, there is nothing to spare: the same as in the alert `HighCPUUsage`.
const LIMIT: f64 = 80.0;

/// Looks, if the rule goes to every edge: one in a single edge is how its cost is found out. Prints a remark if
/// there is one.
///
/// # Errors
/// When the busiest edge is above the limit, unless `force` says that it goes out anyway.
pub(super) async fn to_spare(place: &Installation, edge: &str, force: bool) -> Result<()> {
    if edge != EDGE {
        return Ok(());
    }
    if let Some(remark) = judged(busiest(place).await, force)? {
        say(remark);
    }
    Ok(())
}

async fn busiest(place: &Installation) -> Result<Option<f64>> {
    Ok(place.prometheus().await?.value(BUSIEST).await?)
}

/// What the look says about going on: nothing, a remark, or that it does not.
fn judged(busiest: Result<Option<f64>>, force: bool) -> Result<Option<String>> {
    let unknown =
        |why: String| Ok(Some(format!("lab: the CPU of the edges is unknown, so it was not checked: {why}")));
    match busiest {
        Ok(Some(percent)) if percent >= LIMIT => {
            let busy = format!("the busiest edge uses {percent:.0} % of its CPU; the limit is {LIMIT} %");
            if !force {
                bail!("not applied: {busy}. Find out why first, or add --force to apply the rule anyway");
            }
            Ok(Some(format!("lab: applied anyway: {busy}")))
        }
        Ok(Some(percent)) if percent.is_finite() => Ok(None),
        Ok(_) => unknown("Prometheus has no value for the last 10 s".to_owned()),
        Err(error) => unknown(format!("{error:#}")),
    }
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    fn remark(busiest: Result<Option<f64>>, force: bool) -> Option<String> {
        judged(busiest, force).expect("it continues")
    }

    #[test]
    fn the_procedure_for_a_rule_asks_the_same() {
        let procedure = include_str!("../../../../runbooks/firewall-rule.yaml");
        assert!(
            procedure.contains(BUSIEST) && procedure.contains(&format!("is: \"< {LIMIT}\"")),
            "{procedure}"
        );
    }

    #[test]
    fn with_cpu_to_spare_there_is_nothing_to_say() {
        for percent in [0.0, 12.5, 79.9] {
            assert_eq!(remark(Ok(Some(percent)), false), None, "{percent}");
        }
    }

    #[test]
    fn from_the_limit_on_it_is_refused_with_value_limit_and_the_way_past_it() {
        for (percent, named) in [(80.0, "80 %"), (93.4, "93 %"), (f64::INFINITY, "inf %")] {
            let refused = judged(Ok(Some(percent)), false).expect_err("too busy").to_string();
            assert!(refused.starts_with("not applied: "), "{refused}");
            for part in [named, "the limit is 80 %", "--force"] {
                assert!(refused.contains(part), "{refused}");
            }
        }
    }

    #[test]
    fn a_forced_rule_goes_out_with_a_remark() {
        let said = remark(Ok(Some(93.4)), true).expect("a remark");
        assert!(said.contains("93 %") && said.contains("anyway"), "{said}");
    }

    #[test]
    fn without_an_answer_it_says_so_and_continues() {
        let silent = || Err(anyhow!("Prometheus does not run in this lab"));
        for (busiest, why) in
            [(silent(), "does not run"), (Ok(None), "no value"), (Ok(Some(f64::NAN)), "no value")]
        {
            let said = remark(busiest, false).expect("a remark");
            assert!(said.contains("is unknown") && said.contains(why), "{said}");
        }
    }
}
