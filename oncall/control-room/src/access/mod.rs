//! Who may do what: tokens, the session cookie, the name of who acts.
//!
//! On loopback without tokens everyone on this machine is a trainee, and may become the instructor. Otherwise a token says
//! which: as `Authorization: Bearer` for programs, or once on the login page for people, who get a signed cookie. Tokens are
//! compared in constant time and are never in a cookie, a page, a log or the database.
//!
//! A name is what a visitor says, until a session has it. With PERSON_TOKENS, only a person's own token gives it.

mod cookies;
mod form;
mod people;
mod refusal;
mod teller;
mod visitor;

use std::{fmt, sync::Arc};

use chrono::{DateTime, TimeDelta, Utc};
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{HeaderMap, header::AUTHORIZATION};
use incident::Viewer;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;

use crate::{
    config::RoomConfig,
    error::{Error, Result},
    store::Store,
};
pub use form::Form;
use people::People;
pub use refusal::Refusal;
pub use teller::Teller;
pub use visitor::{Instructor, Visitor, local};

/// Who acts if nobody says so.
pub const SOMEBODY: &str = "somebody";
/// Says who acts, beside a token or on a machine without tokens.
pub const PERSON: &str = "x-person";
/// `instructor`: asks for that role where no token is required for it.
const ROLE: &str = "x-role";
/// Longest name of a person, as in `oncall.yaml`.
const LONGEST_NAME: usize = 63;
/// How long a session lasts.
const SESSION: TimeDelta = TimeDelta::hours(12);

/// Who may come in. Cheap to clone.
#[derive(Clone)]
pub struct Access(Arc<Doors>);

struct Doors {
    /// Signs sessions and forms.
    key: Hmac<Sha256>,
    access: Option<SecretString>,
    instructor: Option<SecretString>,
    hook: Option<SecretString>,
    /// Those who are known by a token of their own.
    people: People,
    /// Whether browsers may send the session over https only.
    secure: bool,
}

impl Access {
    /// Reads the key that signs, or makes it.
    ///
    /// # Errors
    /// When the store fails, or PERSON_TOKENS cannot be read.
    pub async fn open(store: &Store, config: &RoomConfig) -> anyhow::Result<Self> {
        let made = store.setting("access.key", || hex::encode(rand::random::<[u8; 32]>())).await?;
        let doors = &config.doors;
        let mut key = Hmac::<Sha256>::new_from_slice(made.as_bytes())?;
        // Other tokens, other signatures: a session ends when its token is replaced, and the file alone forges none.
        for token in [&doors.access_token, &doors.instructor_token] {
            let token = token.as_ref().map_or("", |token| token.expose_secret());
            absorb(&mut key, token);
        }
        let people = People::new(&doors.person_tokens)?;
        people.parts().for_each(|part| absorb(&mut key, part));
        let key = Hmac::<Sha256>::new_from_slice(key.finalize().into_bytes().as_slice())?;
        Ok(Self(Arc::new(Doors {
            key,
            access: doors.access_token.clone(),
            instructor: doors.instructor_token.clone(),
            hook: doors.hook_token.clone(),
            people,
            secure: config.public_url.as_ref().is_some_and(|url| url.scheme() == "https"),
        })))
    }

    /// Who sends a request; nobody, if a token is required and missing or wrong.
    #[must_use]
    pub fn visitor(&self, headers: &HeaderMap) -> Option<Visitor> {
        // What is only said counts only where nobody has a token of their own.
        let said = |name: Option<&str>| name.filter(|_| !self.knows_people()).map(str::to_owned);
        let sent = headers.get(PERSON).and_then(|name| name.to_str().ok()).filter(|name| legal(name));
        let (sent, chosen) = (said(sent), said(cookies::who(headers)));
        let visitor = match bearer(headers) {
            Some(token) if self.is_guarded() => self.holder(token)?,
            _ => match cookies::session(headers).and_then(|cookie| self.read(cookie, Utc::now())) {
                Some(visitor) => visitor,
                None if self.0.access.is_none() => {
                    Visitor::new(sent.as_deref().or(chosen.as_deref()), Viewer::Trainee)
                }
                None => return None,
            },
        };
        let asks = headers.get(ROLE).is_some_and(|role| role == "instructor");
        let role = if asks && self.0.instructor.is_none() { Viewer::Instructor } else { visitor.role };
        // A visitor who has entered under a name keeps it: `Visitor::of` refuses another one.
        let name = sent.filter(|_| visitor.name == SOMEBODY).unwrap_or(visitor.name);
        Some(Visitor { name, role })
    }

    /// Takes a token of the login page, and says which cookie to set. On a machine without tokens, no token makes an instructor.
    ///
    /// # Errors
    /// When the token is wrong, nobody can have this name, or the token is not that of the person with this name.
    pub fn enter(&self, token: &str, name: &str) -> Result<(Visitor, String)> {
        let open = self.0.access.is_none() && self.0.instructor.is_none();
        let holder = if token.is_empty() && open {
            Some(Visitor::new(None, Viewer::Instructor))
        } else {
            self.holder(token)
        };
        let holder = holder.ok_or_else(|| {
            Error::field(
                "token",
                "not the token: expected your own, or ACCESS_TOKEN or INSTRUCTOR_TOKEN of the control room",
            )
        })?;
        let visitor = Visitor { name: self.goes_by(name, &holder.name)?, ..holder };
        let value = self.write(&visitor, Utc::now() + SESSION);
        let cookie = cookies::set(cookies::SESSION, &value, SESSION, self.0.secure);
        Ok((visitor, cookie))
    }

    /// The cookie that names who acts, for visitors without a session.
    ///
    /// # Errors
    /// When nobody can have this name.
    pub fn named(&self, name: &str) -> Result<String> {
        let name = self.goes_by(name, SOMEBODY)?;
        Ok(cookies::set(cookies::WHO, &name, TimeDelta::days(365), self.0.secure))
    }

    /// The name of somebody who says `name`, and whom a token calls `proven`.
    fn goes_by(&self, name: &str, proven: &str) -> Result<String> {
        let name = if name.is_empty() { proven } else { name };
        if self.knows_people() && name != proven {
            return Err(Error::field("name", "none: here a token of your own says who you are"));
        }
        if !legal(name) {
            return Err(Error::field("name", "a name of oncall.yaml, such as ada"));
        }
        Ok(name.to_owned())
    }

    /// The cookie that ends a session.
    #[must_use]
    pub fn leave() -> String {
        cookies::set(cookies::SESSION, "", TimeDelta::zero(), false)
    }

    /// What each form of this visitor carries in its hidden field `csrf`.
    #[must_use]
    pub fn csrf(&self, visitor: &Visitor) -> String {
        self.sign(&["form", &visitor.name, visitor.letter()])
    }

    /// Whether the pages ask for a token.
    #[must_use]
    pub fn asks_for_token(&self) -> bool {
        self.0.access.is_some()
    }

    /// Whether this control room knows who asks: people have tokens of their own, and no name is only said.
    #[must_use]
    pub fn knows_people(&self) -> bool {
        !self.0.people.is_empty()
    }

    /// Whether instructors need a token.
    #[must_use]
    pub fn asks_instructors(&self) -> bool {
        self.0.instructor.is_some()
    }

    /// Whether a sender of alerts may send them. `key` is a token that came another way, such as a routing key.
    #[must_use]
    pub fn hook(&self, headers: &HeaderMap, key: Option<&str>) -> bool {
        let Some(wanted) = &self.0.hook else { return true };
        bearer(headers).into_iter().chain(key).any(|token| same(wanted, token))
    }

    /// Whether it is a program that has HOOK_TOKEN. Without that token, nobody is.
    #[must_use]
    pub fn is_program(&self, headers: &HeaderMap) -> bool {
        self.0.hook.is_some() && self.hook(headers, None)
    }

    /// Whether any token means anything.
    fn is_guarded(&self) -> bool {
        self.0.access.is_some() || self.0.instructor.is_some() || self.knows_people()
    }

    /// Who has this token; [`SOMEBODY`], if it says only a role.
    fn holder(&self, token: &str) -> Option<Visitor> {
        match self.0.people.holder(token) {
            Some(name) => Some(Visitor::new(Some(name), Viewer::Trainee)),
            None => self.role(token).map(|role| Visitor::new(None, role)),
        }
    }

    fn role(&self, token: &str) -> Option<Viewer> {
        let Doors { access, instructor, .. } = &*self.0;
        let is = |wanted: &Option<SecretString>| wanted.as_ref().is_some_and(|wanted| same(wanted, token));
        match (is(instructor), is(access)) {
            (true, _) => Some(Viewer::Instructor),
            (false, true) => Some(Viewer::Trainee),
            (false, false) => None,
        }
    }

    /// The value of a session cookie.
    fn write(&self, visitor: &Visitor, until: DateTime<Utc>) -> String {
        let until = until.timestamp().to_string();
        let signature = self.sign(&["session", &visitor.name, visitor.letter(), &until]);
        format!("{}.{}.{until}.{signature}", visitor.letter(), visitor.name)
    }

    /// The session of a cookie that was written here and is not over.
    fn read(&self, cookie: &str, now: DateTime<Utc>) -> Option<Visitor> {
        let parts: Vec<&str> = cookie.split('.').collect();
        let &[letter, name, until, signature] = parts.as_slice() else { return None };
        let role = Visitor::role_of(letter)?;
        let right = self.mac(&["session", name, letter, until]);
        // In constant time.
        right.verify_slice(&hex::decode(signature).ok()?).ok()?;
        let until = until.parse::<i64>().ok()?;
        (now.timestamp() < until).then(|| Visitor::new(Some(name), role))
    }

    fn sign(&self, parts: &[&str]) -> String {
        hex::encode(self.mac(parts).finalize().into_bytes())
    }

    fn mac(&self, parts: &[&str]) -> Hmac<Sha256> {
        let mut mac = self.0.key.clone();
        parts.iter().for_each(|part| absorb(&mut mac, part));
        mac
    }
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Access").field("guarded", &self.is_guarded()).finish_non_exhaustive()
    }
}

/// Takes a part after its length, so that bytes cannot shift between parts.
fn absorb(mac: &mut Hmac<Sha256>, part: &str) {
    mac.update(&(part.len() as u64).to_be_bytes());
    mac.update(part.as_bytes());
}

/// Compares in constant time.
fn same(wanted: &SecretString, token: &str) -> bool {
    wanted.expose_secret().as_bytes().ct_eq(token.as_bytes()).into()
}

/// The token of `Authorization: Bearer`.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Whether somebody can have this name: as in `oncall.yaml`.
pub(crate) fn legal(name: &str) -> bool {
    let of_names = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    !name.is_empty() && name.len() <= LONGEST_NAME && name.chars().all(of_names)
}

#[cfg(test)]
mod tests;
