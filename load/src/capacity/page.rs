//! The report on capacity, as a page in Markdown.

use std::fmt::Write;

use super::{Findings, Objective, Saturated, Step, advice, forecast, loads, telemetry::FULL};

/// What the page says until there is a measurement.
pub const UNMEASURED: &str = "# Capacity\n\n<!-- Generated from load/capacity.json by `load capacity report`. -->\n\n\
                              No measurement is kept in this checkout. `load capacity` on a running lab makes one, and writes this page.\n";

/// Writes the page.
#[must_use]
pub fn write(findings: &Findings) -> String {
    let Findings { scenario, machine, started_at, commit, objective, knee, hold, .. } = findings;
    // A scenario that places none is counted in journeys alone.
    let orders = match knee * findings.orders {
        orders if orders > 0.0 => format!(", {orders:.0} orders per second"),
        _ => String::new(),
    };
    let mut out = format!(
        "# Capacity\n\n<!-- Generated from load/capacity.json by `load capacity report`. -->\n\nMeasured at {started_at} on \
         {machine}, which also ran the load generator and all that watches, with the journeys of `{scenario}` in steps of {hold:.0} s, \
         revision `{commit}`.\n\
         The objective: p99 at most {:.0} ms, at most {:.2} % errors, {:.0} % of the orders settled within {:.0} s, no start \
         skipped, no queue that grows.\n\n**The knee is at {knee:.0} journeys per second**{orders}, with one replica of everything.\n\n\
         ## The sweep\n\nThe goodput is what was answered within the p99 of the objective. A load that misses it is tried once more.\n\n",
        objective.p99_ms,
        objective.errors * 100.0,
        objective.settled * 100.0,
        objective.settle,
    );
    steps(&mut out, &findings.steps, objective);
    out.push_str("\n## Checked at 90 % and 110 % of the knee\n\n");
    steps(&mut out, &findings.validation, objective);
    out.push_str(if findings.confirmed() {
        "\nThe objective holds below the knee and is missed above it: confirmed.\n"
    } else if findings.validation.len() < 2 {
        "\n**Not checked**: after an overload, the target did not become good again at the lowest load. Find out what does not recover, \
         and measure again.\n"
    } else {
        "\n**Not confirmed**: the objective should hold in the first of these steps and be missed in the second. Measure again, \
         with a longer `--hold`.\n"
    });
    law(&mut out, findings);
    limits(&mut out, findings);
    advice::write(&mut out, findings);
    forecast::write(&mut out, findings);
    out
}

fn steps(out: &mut String, steps: &[Step], objective: &Objective) {
    out.push_str(
        "| offered/s | succeeded/s | goodput/s | at once | p99 ms | errors | settled in time | skipped | steady | objective |\n",
    );
    out.push_str("|---|---|---|---|---|---|---|---|---|---|\n");
    for step in steps {
        let Step { offered, throughput, goodput, concurrency, p99_ms, skipped, .. } = step;
        let steady = if step.steady { "yes" } else { "no" };
        let kept = if step.good(objective) { "kept" } else { "missed" };
        let _ = writeln!(
            out,
            "| {offered:.0} | {throughput:.0} | {goodput:.0} | {concurrency:.1} | {p99_ms:.0} | {:.2} % | {:.1} % | {skipped} | \
             {steady} | {kept} |",
            step.errors * 100.0,
            step.settled * 100.0
        );
    }
}

/// The fit is not kept: it follows from the steps, and a law without a peak has no number in JSON.
fn law(out: &mut String, findings: &Findings) {
    let Some(fit) = statistics::usl::fit(&loads(&findings.steps), 1) else { return };
    let (sigma, kappa, peak) = (fit.sigma, fit.kappa, fit.peak);
    let _ = writeln!(
        out,
        "\n## How it scales\n\nThe Universal Scalability Law, with intervals of 95 % (bootstrap of the residuals):\n\n\
         | | estimate | from | to |\n|---|---|---|---|\n\
         | contention σ | {:.4} | {:.4} | {:.4} |\n| coherence κ | {:.6} | {:.6} | {:.6} |\n\
         | largest throughput, requests/s | {} | {} | {} |\n\nThe fit is off by {:.1} % (root mean square).",
        sigma.estimate,
        sigma.low,
        sigma.high,
        kappa.estimate,
        kappa.low,
        kappa.high,
        bounded(peak.estimate),
        bounded(peak.low),
        bounded(peak.high),
        fit.error * 100.0
    );
}

fn bounded(value: f64) -> String {
    if value.is_finite() { format!("{value:.0}") } else { "no bound".to_owned() }
}

fn limits(out: &mut String, findings: &Findings) {
    out.push_str("\n## What limits it\n\n");
    let Some(first) = findings.saturated.first() else {
        out.push_str("Unknown: no Prometheus was asked.\n");
        return;
    };
    let sentence = if first.share >= FULL {
        "is full. A queue or a lock may show more than 100 %: it waits for what is full."
    } else {
        "is the fullest resource, but it is not full: what limits the load is not in this table."
    };
    let _ = writeln!(out, "In the first step beyond the knee, **{}** {sentence}\n", first.name);
    out.push_str("| resource | full |\n|---|---|\n");
    for Saturated { name, share } in findings.saturated.iter().take(10) {
        let _ = writeln!(out, "| {name} | {:.0} % |", share * 100.0);
    }
}

#[cfg(test)]
mod tests {
    use super::{super::findings::example, *};

    #[test]
    fn the_page_names_knee_bottleneck_and_forecast() {
        let page = write(&example());
        assert!(
            page.contains("**The knee is at 300 journeys per second**, 120 orders per second, with"),
            "{page}"
        );
        assert!(page.contains("in steps of 20 s"), "{page}");
        assert!(page.contains("**connection pool order-api**") && page.contains("| missed |"), "{page}");
        assert!(page.contains("is missed above it: confirmed"), "{page}");
        assert!(page.contains("**connection pool order-api** is full."), "{page}");
        assert!(page.contains("## What to do about it") && page.contains("DB_POOL_SIZE"), "{page}");
        // 300 * 0.6 / 50 = 3.6 times, at 10 % per month.
        assert!(page.contains("| one replica of each service | 180 | 13.4 |"), "{page}");
    }

    #[test]
    fn what_was_not_measured_or_not_confirmed_is_said() {
        let mut findings = Findings { saturated: Vec::new(), database: None, ..example() };
        findings.validation.swap(0, 1);
        let page = write(&findings);
        let half = Saturated { name: "CPU of the machine".to_owned(), share: 0.5 };
        let idle = write(&Findings { saturated: vec![half], ..findings });
        assert!(idle.contains("what limits the load is not in this table"), "{idle}");
        assert!(page.contains("**Not confirmed**"), "{page}");
        let exhausted = write(&Findings { validation: Vec::new(), ..example() });
        assert!(exhausted.contains("**Not checked**"), "{exhausted}");
        assert!(page.contains("Unknown: no Prometheus was asked"), "{page}");
        assert!(page.contains("no exporter of PostgreSQL answered"), "{page}");
    }
}
