//! How values look: unit, colours, words, links, and the series for which something differs.

use regex::Regex;

use crate::unit::Unit;

/// How values look.
#[derive(Debug, Clone)]
pub struct Field {
    /// Unit.
    pub unit: Unit,
    /// Where colours come from.
    pub paint: Paint,
    /// Colours by value, ascending; the first begins at minus infinity.
    pub steps: Vec<Step>,
    /// Words for values.
    pub words: Vec<Word>,
    /// Lowest value of the axis.
    pub min: Option<f64>,
    /// Highest value of the axis.
    pub max: Option<f64>,
    /// What a click offers, with variables.
    pub links: Vec<Link>,
    /// Heading instead of the name.
    pub title: Option<String>,
    /// Whether the text of a cell has the colour of its value.
    pub coloured: bool,
}

/// Where colours come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paint {
    /// A different one for each series.
    Palette,
    /// This one.
    Fixed(Colour),
    /// That of the step of the value.
    Steps,
}

/// From this value on, this colour.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// Lowest value.
    pub from: f64,
    /// Colour.
    pub colour: Colour,
}

/// A word for a value.
#[derive(Debug, Clone, PartialEq)]
pub struct Word {
    /// The value.
    pub value: f64,
    /// The word.
    pub text: String,
    /// Its colour.
    pub colour: Option<Colour>,
}

/// A titled address, with variables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The text shown.
    pub title: String,
    /// The address.
    pub url: String,
}

/// Settings of the series or columns that match.
#[derive(Debug, Clone)]
pub struct Override {
    /// Which.
    pub matcher: Matcher,
    /// What differs.
    pub set: Vec<Set>,
}

/// Which series or columns.
#[derive(Debug, Clone)]
pub enum Matcher {
    /// With this name.
    Name(String),
    /// Whose name matches.
    Pattern(Regex),
}

/// One setting that differs.
#[derive(Debug, Clone, PartialEq)]
pub enum Set {
    /// Colours.
    Paint(Paint),
    /// Unit.
    Unit(Unit),
    /// Colours by value.
    Steps(Vec<Step>),
    /// Heading.
    Title(String),
    /// What a click offers.
    Links(Vec<Link>),
    /// Whether the text of a cell has the colour of its value.
    Coloured(bool),
}

/// A colour, by what it means; the stylesheet has two of each, for light and dark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    /// Good.
    Green,
    /// Attention.
    Yellow,
    /// Warning.
    Orange,
    /// Bad.
    Red,
    /// Neutral.
    Blue,
    /// Special.
    Purple,
    /// That of text.
    Text,
    /// Invisible.
    Transparent,
}

impl Colour {
    /// Grafana's names of all of them.
    pub const NAMES: &'static [&'static str] =
        &["green", "yellow", "orange", "red", "blue", "purple", "text", "transparent"];

    /// By Grafana's name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "green" => Self::Green,
            "yellow" => Self::Yellow,
            "orange" => Self::Orange,
            "red" => Self::Red,
            "blue" => Self::Blue,
            "purple" => Self::Purple,
            "text" => Self::Text,
            "transparent" => Self::Transparent,
            _ => return None,
        })
    }

    /// Grafana's name, which is also the end of its class: `k-green`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Green => "green",
            Self::Yellow => "yellow",
            Self::Orange => "orange",
            Self::Red => "red",
            Self::Blue => "blue",
            Self::Purple => "purple",
            Self::Text => "text",
            Self::Transparent => "transparent",
        }
    }
}
