//! The burn windows in files that people write: the table of a runbook, and the window that Alertmanager lets speak for the
//! others. The rest of such a file stays as it is.

use regex::{NoExpand, Regex};

use crate::{
    Clock, Slo, Window, theory,
    window::{number, percent},
};

/// Between these lines a runbook is generated.
const BEGIN: &str =
    "<!-- Burn windows: written by `just generate` from oncall/slo/src/clock.rs; do not edit. -->\n";
const END: &str = "<!-- End of the burn windows. -->\n";

/// A file of which a part is generated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// From the root of the checkout.
    pub path: String,
    content: Content,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Content {
    /// What stands between [`BEGIN`] and [`END`].
    Table(String),
    /// The window of Alertmanager's matchers on `long_window`.
    Fastest(Window),
}

/// Every part: one in the runbook of each objective, one in Alertmanager's configuration for each clock.
pub(super) fn all(slos: &[Slo]) -> Vec<Part> {
    let runbooks = slos.iter().map(|slo| Part {
        path: format!("runbooks/{}.md", slo.alert()),
        content: Content::Table(table(slo)),
    });
    let routes = Clock::ALL.into_iter().map(|clock| Part {
        path: format!("dashboards/alertmanager/{clock}.yml"),
        content: Content::Fastest(clock.pairs()[0].long),
    });
    runbooks.chain(routes).collect()
}

impl Part {
    /// `text`, the file as it is, with this part written anew.
    ///
    /// # Errors
    /// What the file lacks, so that the part has no place in it.
    pub fn written_into(&self, text: &str) -> Result<String, String> {
        match &self.content {
            Content::Table(table) => between(text, table),
            Content::Fastest(window) => fastest(text, *window),
        }
        .map_err(|lacks| format!("{}: {lacks}", self.path))
    }
}

fn between(text: &str, table: &str) -> Result<String, String> {
    let (before, rest) = text.split_once(BEGIN).ok_or(format!("has no line `{}`", BEGIN.trim()))?;
    let (_, after) = rest.split_once(END).ok_or(format!("has no line `{}`", END.trim()))?;
    Ok(format!("{before}{BEGIN}\n{table}\n{END}{after}"))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_replaces_what_stood_between_its_lines_and_nothing_else() {
        let page = format!("before\n{BEGIN}stale\n{END}after\n");
        let written = between(&page, "| a |\n").unwrap();
        assert_eq!(written, format!("before\n{BEGIN}\n| a |\n\n{END}after\n"));
        assert_eq!(between(&written, "| a |\n").unwrap(), written);
        assert!(between("a page without a place", "").unwrap_err().contains("has no line `<!-- Burn"));
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
