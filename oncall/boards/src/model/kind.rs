//! How a panel shows its data, and what it asks.

use super::Source;
use crate::unit::Unit;

/// How a panel shows its data.
#[derive(Debug, Clone)]
pub enum Kind {
    /// Lines or stacked areas over time.
    Lines(Lines),
    /// Last values as numbers.
    Stat(Stat),
    /// The last value on a dial.
    Gauge,
    /// A line per label set.
    Table(Vec<Change>),
    /// A classic histogram over time.
    Heatmap(Heatmap),
    /// States over time, a band per series.
    States {
        /// Opacity of the bands, in per cent.
        fill: u8,
    },
    /// Lines of a log, newest first.
    Logs,
    /// Who calls whom.
    Graph,
    /// Markdown.
    Text(String),
}

/// Options of lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lines {
    /// Whether each is drawn on top of those before it.
    pub stacked: bool,
    /// Opacity of the area below a line, in per cent.
    pub fill: u8,
    /// Whether the steps of the field are drawn as dashed lines.
    pub limits: bool,
    /// Whether the legend is a table with the last and the highest value, beside the lines.
    pub table: bool,
}

/// Options of numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stat {
    /// Whether numbers have the colour of their value.
    pub coloured: bool,
    /// Whether the name is shown even with one number.
    pub named: bool,
}

/// Options of a heatmap.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Heatmap {
    /// Unit of the buckets' bounds.
    pub unit: Unit,
    /// Cells up to this value are not drawn.
    pub hidden: f64,
    /// Exponent of the colour scale.
    pub exponent: f64,
}

/// A change to a table before it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// One line per label set, with the values of all queries.
    Merge,
    /// Which columns, in which order.
    Organize {
        /// Columns that are not shown.
        hidden: Vec<String>,
        /// Columns and their position.
        order: Vec<(String, u64)>,
        /// Other names.
        names: Vec<(String, String)>,
    },
}

/// One query.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// `A`, `B`, …
    pub name: String,
    /// Who answers.
    pub source: Source,
    /// PromQL or LogQL, with variables; empty for a dependency graph.
    pub expr: String,
    /// Legend, with `{{label}}`; empty or `__auto` for all labels.
    pub legend: String,
    /// Only the current value.
    pub instant: bool,
    /// Whether dots on the graph lead to traces.
    pub exemplars: bool,
    /// How often its metrics are scraped, in seconds, if less often than usual.
    pub every: Option<f64>,
    /// Most lines of a log.
    pub lines: usize,
}
