//! What a dashboard consists of. Has only what can be drawn: what a file may say beyond it is refused by `read`.

mod field;
mod kind;

pub use field::{Colour, Field, Link, Matcher, Override, Paint, Set, Step, Word};
pub use kind::{Change, Heatmap, Kind, Lines, Query, Stat};

/// A dashboard.
#[derive(Debug, Clone)]
pub struct Board {
    /// Its name in addresses.
    pub uid: String,
    /// Title.
    pub title: String,
    /// Its purpose.
    pub description: String,
    /// By which it is found.
    pub tags: Vec<String>,
    /// How often it is drawn again: `5s`; empty for never.
    pub refresh: String,
    /// How often it may be drawn again.
    pub refreshes: Vec<String>,
    /// Start and end of the time range, such as `now-15m` and `now`.
    pub time: (String, String),
    /// In the order of the file, which is the order in which they depend on each other.
    pub variables: Vec<Variable>,
    /// Marks in time.
    pub annotations: Vec<Annotation>,
    /// Menus of other boards.
    pub menus: Vec<Menu>,
    /// From top to bottom; panels before the first row are in a row without title.
    pub rows: Vec<Row>,
}

/// A menu of the boards with some tags; it keeps the time range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Menu {
    /// Title.
    pub title: String,
    /// Boards with all of these tags.
    pub tags: Vec<String>,
}

/// A variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// Name in queries, without `$`.
    pub name: String,
    /// The text shown.
    pub label: String,
    /// Where its values come from.
    pub kind: VariableKind,
    /// Whether several values may be chosen.
    pub multi: bool,
    /// What "All" stands for in a query; absent where "All" is not offered.
    pub all: Option<String>,
    /// What is chosen at first; `$__all` for all.
    pub chosen: Vec<String>,
}

/// Where the values of a variable come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VariableKind {
    /// The data sources of a kind. There is one of each here, so there is nothing to choose.
    DataSource(Source),
    /// The values of a label of the series that match.
    Label {
        /// Selector, with variables.
        series: String,
        /// The label.
        label: String,
    },
}

/// What answers a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// PromQL.
    Prometheus,
    /// LogQL.
    Loki,
    /// Jaeger's query API.
    Jaeger,
}

impl Source {
    /// Grafana's name of the kind.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Prometheus => "prometheus",
            Self::Loki => "loki",
            Self::Jaeger => "jaeger",
        }
    }
}

/// Marks in time, from a query.
#[derive(Debug, Clone, PartialEq)]
pub struct Annotation {
    /// Name.
    pub name: String,
    /// Colour of the marks.
    pub colour: Colour,
    /// PromQL.
    pub expr: String,
    /// Title of a mark, with `{{label}}`.
    pub title: String,
    /// Text of a mark, with `{{label}}`.
    pub text: String,
    /// Whether the value is the time of the mark, in milliseconds since 1970.
    pub value_is_time: bool,
    /// Whether it is drawn unless somebody asks for it.
    pub enabled: bool,
}

/// Panels under one heading.
#[derive(Debug, Clone)]
pub struct Row {
    /// Its id; 0 without a heading.
    pub id: u64,
    /// Heading.
    pub title: Option<String>,
    /// Whether it starts folded; its panels ask nothing until it is opened.
    pub folded: bool,
    /// Its panels.
    pub panels: Vec<Panel>,
}

/// Position and size in Grafana's grid: 24 columns; rows of 30 pixels, 8 apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Column, from 0.
    pub x: u32,
    /// Row, from 0 at the top of its heading.
    pub y: u32,
    /// Columns.
    pub w: u32,
    /// Rows.
    pub h: u32,
}

/// A panel.
#[derive(Debug, Clone)]
pub struct Panel {
    /// Number, unique on its board.
    pub id: u64,
    /// Title.
    pub title: String,
    /// What it is and what normal looks like.
    pub description: String,
    /// Where it is.
    pub place: Place,
    /// How it shows its data.
    pub kind: Kind,
    /// What it asks.
    pub queries: Vec<Query>,
    /// How values look.
    pub field: Field,
    /// How individual series or columns look.
    pub overrides: Vec<Override>,
}

impl Board {
    /// The panel of this number.
    #[must_use]
    pub fn panel(&self, id: u64) -> Option<&Panel> {
        self.panels().find(|panel| panel.id == id)
    }

    /// All panels, in the order of the page.
    pub fn panels(&self) -> impl Iterator<Item = &Panel> {
        self.rows.iter().flat_map(|row| &row.panels)
    }
}
