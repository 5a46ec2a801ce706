//! The data model of a dashboard, as the boards write it. Knows no JSON: `grafana` renders it.

use std::borrow::Cow;

use crate::{link::Link, query::Query};

/// One dashboard.
#[derive(Debug, Clone)]
pub struct Board {
    /// Stable name: of the file, and in `/d/<uid>`.
    pub uid: &'static str,
    /// Title in Grafana.
    pub title: &'static str,
    /// Its purpose, in a sentence or two.
    pub description: &'static str,
    /// Metric with matchers; the values of its label `job` fill the variable `job`.
    pub jobs: &'static str,
    /// Variables in addition to the data sources, `job` and `instance`.
    pub variables: &'static [Variable],
    /// From top to bottom.
    pub rows: Vec<Row>,
}

/// A variable that offers the values of a label.
#[derive(Debug, Clone, Copy)]
pub struct Variable {
    /// Name in queries, without `$`.
    pub name: &'static str,
    /// The text shown.
    pub label: &'static str,
    /// Metric with matchers.
    pub metric: &'static str,
    /// The label whose values are offered.
    pub of: &'static str,
}

/// Panels under one heading.
#[derive(Debug, Clone)]
pub struct Row {
    /// Heading.
    pub title: &'static str,
    /// Whether it starts folded.
    pub folded: bool,
    /// From left to right; on the next line when the width is used up.
    pub panels: Vec<Panel>,
}

/// An open row.
#[must_use]
pub fn row(title: &'static str, panels: Vec<Panel>) -> Row {
    Row { title, folded: false, panels }
}

/// A row that starts folded.
#[must_use]
pub fn folded(title: &'static str, panels: Vec<Panel>) -> Row {
    Row { title, folded: true, panels }
}

/// The Grafana units that the lab needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::VariantArray)]
pub enum Unit {
    /// Seconds; Grafana shows small ones as ms.
    Seconds,
    /// 0 to 1, shown as per cent.
    Ratio,
    /// 0 to 100.
    Percent,
    /// Requests per second.
    Requests,
    /// Operations per second.
    Operations,
    /// Messages, lines or events per second.
    Events,
    /// IEC bytes.
    Bytes,
    /// IEC bytes per second.
    BytesRate,
    /// A count, abbreviated from a thousand on.
    Count,
    /// US dollars.
    Dollars,
    /// A plain number: cores, multiples, states.
    Plain,
}

impl Unit {
    /// Grafana's id of the unit.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Seconds => "s",
            Self::Ratio => "percentunit",
            Self::Percent => "percent",
            Self::Requests => "reqps",
            Self::Operations => "ops",
            Self::Events => "cps",
            Self::Bytes => "bytes",
            Self::BytesRate => "binBps",
            Self::Count => "short",
            Self::Dollars => "currencyUSD",
            Self::Plain => "none",
        }
    }
}

/// How a panel shows its data.
#[derive(Debug, Clone)]
pub enum Kind {
    /// Lines over time.
    Lines,
    /// Areas on top of each other.
    Stack,
    /// Last values as big numbers.
    Stat,
    /// Last value on a dial.
    Gauge,
    /// A classic histogram over time.
    Heatmap,
    /// A line per label set.
    Table(Vec<Column>),
    /// States over time, a band per series.
    States,
    /// Log lines.
    Logs,
    /// A graph of calls, from traces.
    NodeGraph,
    /// Markdown.
    Text(&'static str),
}

/// A column of a table, in the order of the table.
#[derive(Debug, Clone)]
pub struct Column {
    /// A label, or `Value #A` for the value of query A.
    pub field: &'static str,
    /// Heading.
    pub title: &'static str,
    /// Unit of a value.
    pub unit: Option<Unit>,
    /// Links offered on a click.
    pub links: Vec<Link>,
    /// Colours of the cell; empty for none.
    pub steps: Vec<Step>,
}

/// A column of labels.
#[must_use]
pub fn text(field: &'static str, title: &'static str) -> Column {
    Column { field, title, unit: None, links: Vec::new(), steps: Vec::new() }
}

/// A column of values.
#[must_use]
pub fn value(field: &'static str, title: &'static str, unit: Unit, steps: &[Step]) -> Column {
    Column { field, title, unit: Some(unit), links: Vec::new(), steps: steps.to_vec() }
}

impl Column {
    /// Opens `link` on a click.
    #[must_use]
    pub fn link(mut self, link: Link) -> Self {
        self.links.push(link);
        self
    }
}

/// From this value on (`None`: from the start), this colour.
pub type Step = (Option<f64>, &'static str);

/// Settings of the series with one name.
#[derive(Debug, Clone)]
pub struct Special {
    /// The legend, or a regular expression between slashes.
    pub name: &'static str,
    /// A fixed colour.
    pub colour: Option<&'static str>,
    /// Another unit.
    pub unit: Option<Unit>,
    /// Other colour steps.
    pub steps: Vec<Step>,
}

/// One panel.
#[derive(Debug, Clone)]
pub struct Panel {
    /// Names a signal.
    pub title: Cow<'static, str>,
    /// What it is and what normal looks like.
    pub description: Cow<'static, str>,
    /// Unit of its values.
    pub unit: Unit,
    /// How it shows them.
    pub kind: Kind,
    /// Queries, named A, B, C in this order.
    pub queries: Vec<Query>,
    /// Width in 24ths of the page.
    pub width: u32,
    /// Height in Grafana's rows of 30 pixels.
    pub height: u32,
    /// Colours by value; lines show them as dashed lines.
    pub steps: Vec<Step>,
    /// Lowest and highest value of the axis.
    pub range: (Option<f64>, Option<f64>),
    /// Links offered on a click.
    pub links: Vec<Link>,
    /// Settings of individual series.
    pub specials: Vec<Special>,
    /// Words for numbers.
    pub words: Vec<(f64, &'static str, &'static str)>,
}

impl Panel {
    /// A panel of the usual size for its kind, without queries.
    #[must_use]
    pub fn new(
        kind: Kind,
        title: impl Into<Cow<'static, str>>,
        unit: Unit,
        description: impl Into<Cow<'static, str>>,
    ) -> Self {
        let (title, description) = (title.into(), description.into());
        let (width, height) = match kind {
            Kind::Stat | Kind::Gauge => (4, 4),
            Kind::Table(_) => (12, 8),
            Kind::Logs | Kind::NodeGraph => (24, 10),
            _ => (8, 7),
        };
        // A rate, a duration or a count is never negative, and its axis should not suggest it.
        let range = (matches!(kind, Kind::Lines | Kind::Stack).then_some(0.0), None);
        let (queries, steps, links) = (Vec::new(), Vec::new(), Vec::new());
        let (specials, words) = (Vec::new(), Vec::new());
        Self { title, description, unit, kind, queries, width, height, steps, range, links, specials, words }
    }

    /// Adds a query.
    #[must_use]
    pub fn query(mut self, query: Query) -> Self {
        self.queries.push(query);
        self
    }

    /// Sets the size.
    #[must_use]
    pub const fn size(mut self, width: u32, height: u32) -> Self {
        (self.width, self.height) = (width, height);
        self
    }

    /// Colours from these values on.
    #[must_use]
    pub fn steps(mut self, steps: &[Step]) -> Self {
        self.steps = steps.to_vec();
        self
    }

    /// Fixes the axis.
    #[must_use]
    pub const fn range(mut self, low: f64, high: f64) -> Self {
        self.range = (Some(low), Some(high));
        self
    }

    /// Lets the values be negative.
    #[must_use]
    pub const fn signed(mut self) -> Self {
        self.range = (None, None);
        self
    }

    /// Offers links on a click.
    #[must_use]
    pub fn links(mut self, links: impl IntoIterator<Item = Link>) -> Self {
        self.links.extend(links);
        self
    }

    /// Paints the series of this name in this colour.
    #[must_use]
    pub fn colour(mut self, name: &'static str, colour: &'static str) -> Self {
        self.specials.push(Special { name, colour: Some(colour), unit: None, steps: Vec::new() });
        self
    }

    /// Gives the series of this name its own unit and colour steps.
    #[must_use]
    pub fn special(mut self, name: &'static str, unit: Unit, steps: &[Step]) -> Self {
        self.specials.push(Special { name, colour: None, unit: Some(unit), steps: steps.to_vec() });
        self
    }

    /// Shows words for numbers: number, word, colour.
    #[must_use]
    pub fn words(mut self, words: &[(f64, &'static str, &'static str)]) -> Self {
        self.words = words.to_vec();
        self
    }
}
