//! The values that a reader can choose for each variable: those that Prometheus has, given what was chosen before.

use boards::{
    model::{Variable, VariableKind},
    scope::ALL,
};
use futures::future::join_all;

use super::ask::Asking;

/// A variable and what can be chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Choice {
    /// Its name in addresses, without `var-`.
    pub(super) name: String,
    /// The text shown.
    pub(super) label: String,
    /// The values, those that are chosen first known even if Prometheus has them no longer.
    pub(super) values: Vec<String>,
    /// What is chosen; nothing for all.
    pub(super) chosen: Vec<String>,
    /// Whether Prometheus could be asked.
    pub(super) asked: bool,
}

/// The choices of a board, in its order. There is one data source of each kind, so those are no choice.
pub(super) async fn all(asking: &Asking<'_>) -> Vec<Choice> {
    let each = asking.board.variables.iter().filter_map(|variable| match &variable.kind {
        VariableKind::Label { series, label } => Some(one(asking, variable, series, label)),
        VariableKind::DataSource(_) => None,
    });
    join_all(each).await
}

async fn one(asking: &Asking<'_>, variable: &Variable, series: &str, label: &str) -> Choice {
    let span = asking.scope.range.aligned(15.0);
    let found = asking.sources.label(label, &asking.scope.selector(series), span).await;
    let chosen: Vec<String> =
        asking.scope.values(&variable.name).iter().filter(|value| *value != ALL).cloned().collect();
    let asked = found.is_ok();
    let mut values = found.unwrap_or_default();
    let gone = chosen.iter().filter(|value| !values.contains(value)).cloned();
    let gone: Vec<String> = gone.collect();
    values.extend(gone);
    Choice { name: variable.name.clone(), label: variable.label.clone(), values, chosen, asked }
}
