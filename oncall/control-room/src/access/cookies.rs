//! The two cookies: a session, and who acts.

use chrono::TimeDelta;
use http::{HeaderMap, header::COOKIE};

use super::legal;

/// The session. A name of its own, because cookies of `localhost` are shared by all ports.
pub(super) const SESSION: &str = "control_room";
/// Who acts, for visitors without a session.
pub(super) const WHO: &str = "who";

/// The value of `Set-Cookie`.
pub(super) fn set(name: &str, value: &str, lasts: TimeDelta, secure: bool) -> String {
    let secure = if secure { "; Secure" } else { "" };
    let seconds = lasts.num_seconds();
    format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}")
}

/// The session cookie of a request.
pub(super) fn session(headers: &HeaderMap) -> Option<&str> {
    cookie(headers, SESSION)
}

/// The name in the cookie of a request.
pub(super) fn who(headers: &HeaderMap) -> Option<&str> {
    cookie(headers, WHO).filter(|name| legal(name))
}

fn cookie<'h>(headers: &'h HeaderMap, wanted: &str) -> Option<&'h str> {
    let lines = headers.get_all(COOKIE).into_iter().filter_map(|line| line.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find_map(|(name, value)| (name == wanted).then_some(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_found_among_others_and_is_for_this_site_only() {
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, "grafana=x; who=ada".parse().unwrap());
        headers.append(COOKIE, "control_room=a.b.c.d".parse().unwrap());
        assert_eq!((who(&headers), session(&headers)), (Some("ada"), Some("a.b.c.d")));
        headers.insert(COOKIE, "who=<b>".parse().unwrap());
        assert_eq!((who(&headers), session(&headers)), (None, None));
        let set = set(SESSION, "x", TimeDelta::hours(12), true);
        assert_eq!(set, "control_room=x; Path=/; Max-Age=43200; HttpOnly; SameSite=Strict; Secure");
    }
}
