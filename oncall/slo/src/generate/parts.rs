//! The numbers of alerts in files that people write: the table of a runbook, and the window that Alertmanager lets speak for the
//! others. The rest of such a file stays as it is.

use regex::{NoExpand, Regex};

use super::budgets;
use crate::{
    AlertKind, Clock, Slo, Window, theory,
    window::{humane, number, percent},
};

/// Between these lines a runbook is generated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Marks {
    begin: &'static str,
    end: &'static str,
}

const BURN: Marks = Marks {
    begin: "<!-- Burn windows: written by `just generate` from oncall/slo/src/clock.rs; do not edit. -->\n",
    end: "<!-- End of the burn windows. -->\n",
};
const BUDGET: Marks = Marks {
    begin: "<!-- Budget: written by `just generate` from dashboards/slos; do not edit. -->\n",
    end: "<!-- End of the budget. -->\n",
};

/// A file of which a part is generated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// From the root of the checkout.
    pub path: String,
    content: Content,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Content {
    /// What is between two lines.
    Table(Marks, String),
    /// The window of Alertmanager's matchers on `long_window`.
    Fastest(Window),
}

/// Every part: one in each runbook of each objective, one in Alertmanager's configuration for each clock.
pub(super) fn all(slos: &[Slo]) -> Vec<Part> {
    let runbook = |slo: &Slo, kind: AlertKind| {
        let content = match kind {
            AlertKind::Burn => Content::Table(BURN, table(slo)),
            AlertKind::EndsSoon | AlertKind::Spent => Content::Table(BUDGET, budget(slo, kind)),
        };
        Part { path: format!("runbooks/{}.md", slo.alert_of(kind)), content }
    };
    let runbooks = slos.iter().flat_map(|slo| AlertKind::ALL.map(|kind| runbook(slo, kind)));
    let routes = Clock::ALL.into_iter().map(|clock| Part {
        path: format!("dashboards/alertmanager/{clock}.yml"),
        content: Content::Fastest(clock.pairs()[0].long),
    });
    runbooks.chain(routes).collect()
}

impl Part {
    /// `text`, the file as it is, with this part rewritten.
    ///
    /// # Errors
    /// What the file lacks, so that the part has no place in it.
    pub fn written_into(&self, text: &str) -> Result<String, String> {
        match &self.content {
            Content::Table(marks, table) => between(text, *marks, table),
            Content::Fastest(window) => fastest(text, *window),
        }
        .map_err(|lacks| format!("{}: {lacks}", self.path))
    }
}

fn between(text: &str, Marks { begin, end }: Marks, table: &str) -> Result<String, String> {
    let lacks = |line: &str| format!("has no line `{}`", line.trim());
    let (before, rest) = text.split_once(begin).ok_or_else(|| lacks(begin))?;
    let (_, after) = rest.split_once(end).ok_or_else(|| lacks(end))?;
    Ok(format!("{before}{begin}\n{table}\n{end}{after}"))
}

/// The matchers say that the fastest page speaks for the slower ones: `long_window = "1m"`, `long_window != "1m"`.
fn fastest(text: &str, window: Window) -> Result<String, String> {
    let mut written = text.to_owned();
    for matcher in ["long_window = ", "long_window != "] {
        let pattern = format!("{matcher}\"[^\"]*\"");
        let pattern = Regex::new(&pattern).map_err(|error| error.to_string())?;
        if !pattern.is_match(&written) {
            return Err(format!("has no matcher `{matcher}\"…\"`"));
        }
        let matcher = format!("{matcher}\"{window}\"");
        written = pattern.replace_all(&written, NoExpand(&matcher)).into_owned();
    }
    Ok(written)
}

/// The windows on both clocks, and what each pair spends before it fires.
fn table(slo: &Slo) -> String {
    let mut text = "| severity | long / short window, lab | production | burns at more than | share of the budget gone when it fires |\n\
                    |---|---|---|---|---|\n"
        .to_owned();
    for (lab, production) in Clock::Lab.pairs().iter().zip(Clock::Production.pairs()) {
        let share = theory::budget_spent_at_fire(&production, slo.period.nominal());
        text.push_str(&format!(
            "| {} | {} / {} | {} / {} | {} | {} |\n",
            production.severity,
            lab.long,
            lab.short,
            production.long,
            production.short,
            number(production.factor),
            percent(share),
        ));
    }
    text
}

/// What one of the two alerts on the rest of a budget compares, on both clocks.
fn budget(slo: &Slo, kind: AlertKind) -> String {
    let mut text = "| | lab | production |\n|---|---|---|\n".to_owned();
    let mut row = |what: &str, of: &dyn Fn(Clock) -> String| {
        text.push_str(&format!("| {what} | {} | {} |\n", of(Clock::Lab), of(Clock::Production)));
    };
    row("period", &|clock| clock.period(slo).to_string());
    row("the budget, as full outage", &|clock| humane(slo.budget() * clock.period(slo).secs()));
    if kind == AlertKind::EndsSoon {
        row("fires when the rest lasts less than", &|clock| clock.horizon(slo).to_string());
        row("at the rate of the last", &|clock| {
            let (long, short) = budgets::windows(clock);
            format!("{long} and {short}")
        });
        row("ends when it lasts at least", &|clock| humane(budgets::lasts_again(slo, clock)));
    } else {
        row("fires when this is left", &|_| percent(0.0));
        row("ends when this is back", &|_| percent(budgets::BACK));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_replaces_what_stood_between_its_lines_and_nothing_else() {
        for Marks { begin, end } in [BURN, BUDGET] {
            let marks = Marks { begin, end };
            let page = format!("before\n{begin}stale\n{end}after\n");
            let written = between(&page, marks, "| a |\n").unwrap();
            assert_eq!(written, format!("before\n{begin}\n| a |\n\n{end}after\n"));
            assert_eq!(between(&written, marks, "| a |\n").unwrap(), written);
        }
        assert!(between("a page without a place", BURN, "").unwrap_err().contains("has no line `<!-- Burn"));
    }

    #[test]
    fn the_fastest_window_is_written_into_both_matchers_and_into_no_other() {
        let rule = "['severity = \"page\"', 'long_window = \"9m\"']\n['long_window =~ \".+\"', 'long_window != \"9m\"']\n";
        let written = fastest(rule, Window::minutes(1)).unwrap();
        assert_eq!(written, rule.replace("9m", "1m"));
        let lacks = fastest("long_window = \"1m\"", Window::minutes(1)).unwrap_err();
        assert_eq!(lacks, "has no matcher `long_window != \"…\"`");
    }
}
