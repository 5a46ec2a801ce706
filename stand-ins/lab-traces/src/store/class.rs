//! What becomes of a trace when there is no room.

/// How long a trace is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "lowercase")]
pub enum Class {
    /// Nothing special.
    Ordinary,
    /// Has an error or a slow span.
    Kept,
}

impl Class {
    /// Both, in the order of their numbers.
    pub const ALL: &'static [Self] = <Self as strum::VariantArray>::VARIANTS;

    /// Value of the label `class`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}
