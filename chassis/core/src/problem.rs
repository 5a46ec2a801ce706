//! Types of problems: every error answer of the lab is of one of them (RFC 9457).

use http::StatusCode;

/// Media type of a problem document.
pub const MEDIA_TYPE: &str = "application/problem+json";
/// Where the types are explained; the slug of a type is its anchor there.
const PAGE: &str = "https://github.com/sre-lab/sre-lab/blob/main/docs/problems.md";

/// A type of problem: slug, status and title belong together. [`problem_types!`](crate::problem_types) declares them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProblemType {
    /// Its name on the wire, and its anchor in docs/problems.md.
    pub slug: &'static str,
    /// Status of the answer.
    pub status: StatusCode,
    /// The type in a few words.
    pub title: &'static str,
}

impl ProblemType {
    /// A type with this status.
    ///
    /// # Panics
    /// When `status` is not between 100 and 999: while compiling, in a constant.
    #[must_use]
    pub const fn new(status: u16, slug: &'static str, title: &'static str) -> Self {
        match StatusCode::from_u16(status) {
            Ok(status) => Self { slug, status, title },
            Err(_) => panic!("not an HTTP status"),
        }
    }

    /// The `type` of its documents: where it is explained.
    #[must_use]
    pub fn uri(&self) -> String {
        format!("{PAGE}#{}", self.slug)
    }
}

/// Declares problem types, one per row: status, slug, title; and `ALL` of them. docs/problems.md must have a row for each.
#[macro_export]
macro_rules! problem_types {
    ($($(#[$doc:meta])+ $name:ident = $status:literal, $slug:literal, $title:literal;)+) => {
        $(
            $(#[$doc])+
            pub const $name: $crate::problem::ProblemType =
                $crate::problem::ProblemType::new($status, $slug, $title);
        )+

        /// Every type that is declared here.
        pub const ALL: &[&$crate::problem::ProblemType] = &[$(&$name),+];
    };
}

#[cfg(test)]
mod tests {
    #![allow(unreachable_pub, reason = "the macro declares what other crates use")]

    crate::problem_types! {
        /// It is not there any more.
        GONE = 410, "gone", "Gone";
        /// It is a teapot.
        TEAPOT = 418, "teapot", "I am a teapot";
    }

    #[test]
    fn a_type_is_a_constant_and_one_of_all() {
        assert_eq!((GONE.status.as_u16(), GONE.slug, GONE.title), (410, "gone", "Gone"));
        assert!(TEAPOT.uri().ends_with("/docs/problems.md#teapot"), "{}", TEAPOT.uri());
        assert_eq!(ALL, [&GONE, &TEAPOT]);
    }
}
