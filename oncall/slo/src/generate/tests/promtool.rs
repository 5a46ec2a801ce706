//! One test in promtool's format.

use super::{
    super::{DASHBOARD, RUNBOOKS, alerts, scalar},
    Course, step,
};
use crate::{Clock, Pair, Slo, Window};

/// One promtool test: what happens, and what must hold at which step.
pub(super) struct Test {
    name: String,
    pub(super) input: Vec<String>,
    /// Step, expression, and the value of its one sample without labels.
    holds: Vec<(usize, String, f64)>,
    /// Step, objective: all its alerts fire with these annotations.
    pub(super) all_fire: Vec<(usize, Slo)>,
    /// Step, objective: none of its alerts fires.
    pub(super) none_fires: Vec<(usize, Slo)>,
    /// Nothing fires at all.
    silent: Vec<usize>,
}

impl Test {
    pub(super) fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            input: Vec::new(),
            holds: Vec::new(),
            all_fire: Vec::new(),
            none_fires: Vec::new(),
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

    pub(super) fn yaml(&self, clock: Clock) -> String {
        let step = step(clock);
        let at = |steps: usize| Window::seconds((steps as u64).max(1) * step.as_secs());
        let mut text = format!("  - name: {}\n    interval: {step}\n    input_series:\n", scalar(&self.name));
        for line in &self.input {
            text.push_str(&format!("      - {line}\n"));
        }
        if !self.all_fire.is_empty() || !self.none_fires.is_empty() {
            text.push_str("    alert_rule_test:\n");
        }
        for (steps, slo) in &self.none_fires {
            text.push_str(&format!(
                "      - {{ eval_time: {}, alertname: {}, exp_alerts: [] }}\n",
                at(*steps),
                slo.alert()
            ));
        }
        for (steps, slo) in &self.all_fire {
            text.push_str(&expected_alerts(slo, clock, at(*steps)));
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

/// All four alerts of an objective all of whose events are bad.
pub(super) fn expected_alerts(slo: &Slo, clock: Clock, at: Window) -> String {
    let mut text =
        format!("      - eval_time: {at}\n        alertname: {}\n        exp_alerts:\n", slo.alert());
    for pair in clock.pairs() {
        let labels =
            alerts::labels(slo, &pair).into_iter().map(|(name, value)| format!("{name}: {}", scalar(&value)));
        let (summary, description) = alerts::words(slo, clock, &pair);
        let filled = |text: String| scalar(&text.replace("{{ $value | humanizePercentage }}", "100%"));
        text.push_str(&format!(
            "          - exp_labels: {{ {} }}\n            exp_annotations:\n              summary: {}\n              \
             description: {}\n              runbook_url: {}/{}.md\n              dashboard_url: {}{}\n",
            labels.collect::<Vec<_>>().join(", "),
            filled(summary),
            filled(description),
            RUNBOOKS,
            slo.alert(),
            DASHBOARD,
            slo.name,
        ));
    }
    text
}
