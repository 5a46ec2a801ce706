//! How a value looks: words, colours, and the overrides of a series or column.

use crate::model::{Colour, Field, Matcher, Paint, Panel, Set};

impl Panel {
    /// How the series or column of this name looks.
    #[must_use]
    pub fn field(&self, name: &str) -> Field {
        let matching = self.overrides.iter().filter(|each| each.matcher.matches(name));
        let mut field = self.field.clone();
        for set in matching.flat_map(|each| &each.set) {
            field.apply(set);
        }
        field
    }
}

impl Matcher {
    fn matches(&self, name: &str) -> bool {
        match self {
            Self::Name(wanted) => wanted == name,
            Self::Pattern(pattern) => pattern.is_match(name),
        }
    }
}

impl Field {
    fn apply(&mut self, set: &Set) {
        match set {
            Set::Paint(paint) => self.paint = *paint,
            Set::Unit(unit) => self.unit = *unit,
            Set::Steps(steps) => self.steps.clone_from(steps),
            Set::Title(title) => self.title = Some(title.clone()),
            Set::Links(links) => self.links.clone_from(links),
            Set::Coloured(coloured) => self.coloured = *coloured,
        }
    }

    /// A value as a word, or as a number with its unit.
    #[must_use]
    pub fn show(&self, value: f64) -> String {
        match self.word(value) {
            Some(word) => word.text.clone(),
            None => self.unit.show(value),
        }
    }

    /// The colour of a value; none where colours only tell series apart.
    #[must_use]
    pub fn colour(&self, value: f64) -> Option<Colour> {
        if let Some(colour) = self.word(value).and_then(|word| word.colour) {
            return Some(colour);
        }
        match self.paint {
            Paint::Palette => None,
            Paint::Fixed(colour) => Some(colour),
            Paint::Steps => self.step(value),
        }
    }

    /// The colour of the step of a value.
    #[must_use]
    pub fn step(&self, value: f64) -> Option<Colour> {
        self.steps.iter().rev().find(|step| value >= step.from).map(|step| step.colour)
    }

    /// Limits that lines show: where a visible step begins.
    pub fn limits(&self) -> impl Iterator<Item = (f64, Colour)> + '_ {
        let visible = self.steps.iter().filter(|step| step.from.is_finite());
        visible.map(|step| (step.from, step.colour)).filter(|(_, colour)| *colour != Colour::Transparent)
    }

    fn word(&self, value: f64) -> Option<&crate::model::Word> {
        self.words.iter().find(|word| word.value == value)
    }
}
