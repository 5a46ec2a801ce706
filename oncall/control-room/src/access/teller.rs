//! Who tells what happened elsewhere, such as a release that a terminal drives in a cluster.
//!
//! A program with HOOK_TOKEN tells what people did. Everybody else tells it in their own name: otherwise a visitor could sign as
//! another.

use axum::{
    extract::{FromRef, FromRequestParts},
    response::Response,
};
use http::request::Parts;

use super::{SOMEBODY, Visitor};
use crate::{
    error::{Error, Result},
    room::Room,
};

/// Who tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Teller {
    /// A program with HOOK_TOKEN.
    Program,
    /// A visitor.
    Person(Visitor),
}

impl Teller {
    /// Refuses a name under which this one may not tell anything. [`SOMEBODY`] is nobody's.
    ///
    /// # Errors
    /// [`Error::NotYours`].
    pub fn signs(&self, name: &str) -> Result<()> {
        match self {
            Self::Person(visitor) if name != visitor.name && name != SOMEBODY => {
                let teller = &visitor.name;
                let next = "or send HOOK_TOKEN, as a program that releases";
                Err(Error::NotYours(format!(
                    "this is signed by {name}, and you are {teller}: let {name} tell it, {next}"
                )))
            }
            Self::Person(_) | Self::Program => Ok(()),
        }
    }

    /// Who answers for what nobody signs; `starter`, if a program tells it.
    #[must_use]
    pub fn answers<'t>(&'t self, starter: &'t str) -> &'t str {
        match self {
            Self::Program => starter,
            Self::Person(visitor) => &visitor.name,
        }
    }
}

impl<S> FromRequestParts<S> for Teller
where
    Room: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> std::result::Result<Self, Response> {
        if Room::from_ref(state).access.is_program(&parts.headers) {
            return Ok(Self::Program);
        }
        Visitor::from_request_parts(parts, state).await.map(Self::Person)
    }
}
