//! One test in promtool's format.

use super::{
    super::{DASHBOARD, RUNBOOKS, Rule, alerts, scalar},
    Course, step,
};
use crate::{Clock, Pair, Slo, Window};

/// One promtool test: what happens, and what must hold at which step.
pub(super) struct Test {
    name: String,
    pub(super) input: Vec<String>,
    /// Step, expression, and the value of its one sample without labels.
    holds: Vec<(usize, String, f64)>,
    /// Step, name of an alert, and its alerts that fire, as promtool writes them: none, or all with labels and annotations.
    alerts: Vec<(usize, String, String)>,
    /// Nothing fires at all.
    silent: Vec<usize>,
}

impl Test {
    pub(super) fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            input: Vec::new(),
            holds: Vec::new(),
            alerts: Vec::new(),
            silent: Vec::new(),
        }
    }

    /// Puts one more objective through `course`. The lints have refused objectives without example series.
    pub(super) fn input(&mut self, slo: &Slo, course: &Course) {
        self.input.extend(course.input(slo).unwrap_or_default());
    }

    pub(super) fn hold(&mut self, step: usize, expr: impl Into<String>, value: f64) {
        self.holds.push((step, expr.into(), value));
    }

    pub(super) fn fires(&mut self, step: usize, slo: &Slo, pair: &Pair, fires: bool) {
        let expr = format!(
            "count(ALERTS{{alertname=\"{}\", alertstate=\"firing\", long_window=\"{}\"}}) or vector(0)",
            slo.alert(),
            pair.long
        );
        self.hold(step, expr, f64::from(u8::from(fires)));
    }

    pub(super) fn silent(&mut self, step: usize) {
        self.silent.push(step);
    }

    /// No alert of this name fires.
    pub(super) fn silent_of(&mut self, step: usize, alert: String) {
        self.alerts.push((step, alert, String::new()));
    }

    /// The alerts of this name are exactly `expected`.
    pub(super) fn fires_as(&mut self, step: usize, alert: String, expected: String) {
        self.alerts.push((step, alert, expected));
    }

    pub(super) fn yaml(&self, clock: Clock) -> String {
        let step = step(clock);
        let at = |steps: usize| Window::seconds((steps as u64).max(1) * step.as_secs());
        let mut text = format!("  - name: {}\n    interval: {step}\n    input_series:\n", scalar(&self.name));
        for line in &self.input {
            text.push_str(&format!("      - {line}\n"));
        }
        if !self.alerts.is_empty() {
            text.push_str("    alert_rule_test:\n");
        }
        for (steps, alert, expected) in &self.alerts {
            let expected = if expected.is_empty() { " []\n".to_owned() } else { format!("\n{expected}") };
            text.push_str(&format!(
                "      - eval_time: {}\n        alertname: {alert}\n        exp_alerts:{expected}",
                at(*steps)
            ));
        }
        text.push_str("    promql_expr_test:\n");
        for steps in &self.silent {
            text.push_str(&format!(
                "      - {{ expr: ALERTS, eval_time: {}, exp_samples: [] }}\n",
                at(*steps)
            ));
        }
        for (steps, expr, value) in &self.holds {
            text.push_str(&format!(
                "      - {{ expr: '{expr}', eval_time: {}, exp_samples: [{{ labels: '{{}}', value: {value} }}] }}\n",
                at(*steps)
            ));
        }
        text
    }
}

/// The value in an annotation.
const VALUE: &str = "{{ $value | humanizePercentage }}";

/// All four burn alerts of an objective all of whose events are bad.
pub(super) fn expected_burn(slo: &Slo, clock: Clock) -> String {
    let one = |pair: &Pair| {
        let (summary, description) = alerts::words(slo, clock, pair);
        let links = [
            ("runbook_url", format!("{RUNBOOKS}/{}", slo.alert())),
            ("dashboard_url", format!("{DASHBOARD}{}", slo.name)),
        ];
        let annotations = [("summary", summary), ("description", description)].into_iter().chain(links);
        expected(&alerts::labels(slo, pair), &annotations.collect::<Vec<_>>(), "100%")
    };
    clock.pairs().iter().map(one).collect()
}

/// The alert of a rule, with this value in its annotations.
pub(super) fn expected_of(rule: &Rule, value: &str) -> String {
    expected(&rule.labels, &rule.annotations, value)
}

fn expected(labels: &[(&str, String)], annotations: &[(&str, String)], value: &str) -> String {
    let labels = labels.iter().map(|(name, value)| format!("{name}: {}", scalar(value)));
    let mut text = format!(
        "          - exp_labels: {{ {} }}\n            exp_annotations:\n",
        labels.collect::<Vec<_>>().join(", ")
    );
    for (name, annotation) in annotations {
        text.push_str(&format!("              {name}: {}\n", scalar(&annotation.replace(VALUE, value))));
    }
    text
}
