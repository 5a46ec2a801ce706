//! The own parameters of a fault, as a struct that [`params!`](macro@crate::params) declares: what is read when the fault strikes
//! is what the point takes, with the same name and of the same type, or it does not compile.

use std::{collections::BTreeMap, time::Duration};

use crate::{
    ParamKind, ParamSpec,
    value::{Read, Value},
};

/// A millisecond.
pub const MS: Duration = Duration::from_millis(1);
/// 1024 bytes.
pub const KIB: u64 = 1 << 10;
/// 1024 times as many.
pub const MIB: u64 = 1 << 20;
/// Longest time that most parameters take.
pub const MINUTE: Duration = Duration::from_secs(60);

/// The own parameters of a fault; `()` for a fault without any.
pub trait Params: Copy + Send + Sync + 'static {
    /// Them as data, in the order of the documentation.
    const SPECS: &'static [ParamSpec];

    /// Them as a plan has them.
    #[must_use]
    fn read(values: &Values) -> Self;
}

impl Params for () {
    const SPECS: &'static [ParamSpec] = &[];

    fn read(_: &Values) -> Self {}
}

/// A parameter whose values are `T`: how it is read, and what it is when absent.
pub struct Param<T> {
    pub(crate) kind: ParamKind,
    pub(crate) default: &'static str,
    pub(crate) read: Read<T>,
}

impl<T> Param<T> {
    /// It as data, under a name.
    #[must_use]
    pub const fn spec(&self, name: &'static str, summary: &'static str) -> ParamSpec {
        ParamSpec { name, summary, kind: self.kind, default: self.default }
    }

    /// Reads `text`; the error says what would be right.
    pub(crate) fn parse(&self, text: &str) -> Result<T, String> {
        let value = self.kind.read(text)?;
        Ok((self.read)(value).unwrap_or_else(|| unreachable!("no {value:?} is read as {:?}", self.kind)))
    }
}

/// A duration such as `250ms`.
#[must_use]
pub const fn duration(default: &'static str, min: Duration, max: Duration) -> Param<Duration> {
    Param { kind: ParamKind::Duration { min, max }, default, read: Value::duration }
}

/// A whole number.
#[must_use]
pub const fn count(default: &'static str, min: u64, max: u64) -> Param<u64> {
    Param { kind: ParamKind::Count { min, max }, default, read: Value::number }
}

/// A size in bytes such as `64MiB`.
#[must_use]
pub const fn bytes(default: &'static str, min: u64, max: u64) -> Param<u64> {
    Param { kind: ParamKind::Bytes { min, max }, default, read: Value::number }
}

/// A number from 0 to 1.
#[must_use]
pub const fn ratio(default: &'static str) -> Param<f64> {
    Param { kind: ParamKind::Ratio, default, read: Value::ratio }
}

/// One of a few words.
#[must_use]
pub const fn choice<C: Choice>(default: &'static str) -> Param<C> {
    Param { kind: ParamKind::Word(C::WORDS), default, read: chosen::<C> }
}

fn chosen<C: Choice>(value: Value) -> Option<C> {
    value.word().and_then(C::of)
}

/// The type of a parameter that is one of a few words; [`choice!`](macro@crate::choice) declares one.
pub trait Choice: Copy + Send + Sync + 'static {
    /// The words, in the order of the documentation.
    const WORDS: &'static [&'static str];

    /// What one of [`Choice::WORDS`] says; `None` for any other word.
    fn of(word: &str) -> Option<Self>;
}

impl Choice for bool {
    const WORDS: &'static [&'static str] = &["on", "off"];

    fn of(word: &str) -> Option<Self> {
        match word {
            "on" => Some(true),
            "off" => Some(false),
            _ => None,
        }
    }
}

/// The own parameters of one plan by name, defaults filled in.
#[derive(Debug, Clone, PartialEq)]
pub struct Values(BTreeMap<&'static str, Value>);

impl Values {
    pub(crate) const fn new(values: BTreeMap<&'static str, Value>) -> Self {
        Self(values)
    }

    /// Each with its name.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'static str, Value)> {
        self.0.iter().map(|(name, value)| (*name, *value))
    }

    /// The value of `param`, called `name`.
    ///
    /// # Panics
    /// Never, on a plan of a fault that has the parameter: a handle is given only for the parameters that its point takes.
    #[doc(hidden)]
    #[must_use]
    pub fn get<T>(&self, name: &str, param: &Param<T>) -> T {
        let value = self.0.get(name).copied().and_then(param.read);
        value.unwrap_or_else(|| unreachable!("`{name}` is not what the plan has: {:?}", self.0.get(name)))
    }
}
