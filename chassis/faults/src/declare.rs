//! What boundaries declare their faults with. Each row is written once: the struct, the catalogue and the words come from it.

/// Declares the own parameters of faults, each as a struct. The text above a field is what `GET /faults` and
/// `docs/faults.md` say of the parameter; its name is the one in the query string.
///
/// ```text
/// use std::time::Duration;
///
/// use chassis_faults::{params, params::{MINUTE, MS, duration}};
///
/// params! {
///     /// Parameters of `slow-disk`.
///     pub struct SlowDisk {
///         /// time added to each write
///         delay: Duration = duration("10ms", MS, MINUTE),
///     }
/// }
/// ```
#[macro_export]
macro_rules! params {
    ($(
        $(#[doc = $about:literal])+
        $vis:vis struct $Name:ident {
            $(#[doc = $summary:literal] $field:ident: $Type:ty = $param:expr,)+
        }
    )+) => {$(
        $(#[doc = $about])+
        #[derive(Debug, Clone, Copy, PartialEq)]
        $vis struct $Name {
            $(#[doc = $summary] $vis $field: $Type,)+
        }

        impl $crate::Params for $Name {
            const SPECS: &'static [$crate::ParamSpec] = &[$({
                let param: $crate::params::Param<$Type> = $param;
                param.spec(stringify!($field), $summary.trim_ascii_start())
            }),+];

            fn read(values: &$crate::params::Values) -> Self {
                Self { $($field: values.get::<$Type>(stringify!($field), &$param)),+ }
            }
        }
    )+};
}

/// Declares a parameter that is one of a few words, as an enum with one variant for each.
#[macro_export]
macro_rules! choice {
    (
        $(#[doc = $about:literal])+
        $vis:vis enum $Name:ident {
            $($(#[doc = $means:literal])+ $Variant:ident = $word:literal,)+
        }
    ) => {
        $(#[doc = $about])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        $vis enum $Name {
            $($(#[doc = $means])+ $Variant,)+
        }

        impl $crate::params::Choice for $Name {
            const WORDS: &'static [&'static str] = &[$($word),+];

            fn of(word: &str) -> Option<Self> {
                match word {
                    $($word => Some(Self::$Variant),)+
                    _ => None,
                }
            }
        }
    };
}

/// Declares the faults of a boundary: a constant for each, and `ALL` of them in the order of the documentation. So a fault
/// that can be implemented is in its catalogue.
#[macro_export]
macro_rules! catalogue {
    ($($(#[doc = $about:literal])+ pub const $NAME:ident: $Type:ty = $fault:expr;)+) => {
        $($(#[doc = $about])+ pub const $NAME: $Type = $fault;)+

        /// All of them, in the order of the documentation.
        pub const ALL: $crate::Catalogue = &[$(&$NAME),+];
    };
}
