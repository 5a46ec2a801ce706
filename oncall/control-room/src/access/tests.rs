//! Who is let in, as what, and until when.

use clap::Parser as _;
use http::header::COOKIE;

use super::*;

/// As a control room with these flags has it, with its file in memory.
pub(super) async fn access(flags: &[&str]) -> Access {
    let config = RoomConfig::parse_from([&["control-room"], flags].concat());
    Access::open(&Store::open(None).await.unwrap(), &config).await.unwrap()
}

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    pairs.iter().map(|(name, value)| (http::HeaderName::from_static(name), value.parse().unwrap())).collect()
}

fn of_cookie(cookie: &str) -> HeaderMap {
    let pair = cookie.split(';').next().unwrap();
    HeaderMap::from_iter([(COOKIE, pair.parse().unwrap())])
}

const GUARDED: [&str; 4] = ["--access-token", "door", "--instructor-token", "secret"];

#[tokio::test]
async fn on_this_machine_everyone_is_a_trainee_and_may_become_the_instructor() {
    let access = access(&[]).await;
    let trainee = |name: &str| Some(Visitor::new(Some(name), Viewer::Trainee));
    assert_eq!(access.visitor(&HeaderMap::new()), trainee("somebody"));
    assert_eq!(access.visitor(&of_cookie(&access.named("ada").unwrap())), trainee("ada"));
    assert_eq!(access.visitor(&headers(&[("x-person", "ben")])), trainee("ben"));
    let (visitor, cookie) = access.enter("", "ada").unwrap();
    assert!(visitor.is_instructor());
    assert_eq!(access.visitor(&of_cookie(&cookie)), Some(visitor));
    let asked = access.visitor(&headers(&[("x-role", "instructor"), ("x-person", "ben")])).unwrap();
    assert!(asked.is_instructor() && asked.name == "ben");
    assert_eq!(access.visitor(&of_cookie(&Access::leave())), trainee("somebody"));
}

#[tokio::test]
async fn with_tokens_only_a_right_one_lets_in_and_says_as_what() {
    let access = access(&GUARDED).await;
    for (token, role) in [
        ("Bearer door", Some(Viewer::Trainee)),
        ("bearer secret", Some(Viewer::Instructor)),
        ("Bearer wrong", None),
        ("Bearer ", None),
        ("Basic door", None),
        ("door", None),
    ] {
        let visitor = access.visitor(&headers(&[("authorization", token), ("x-role", "instructor")]));
        assert_eq!(visitor.map(|visitor| visitor.role), role, "{token}");
    }
    assert_eq!(access.visitor(&headers(&[("x-person", "ada"), ("x-role", "instructor")])), None);
    let (trainee, cookie) = access.enter("door", "ada").unwrap();
    assert_eq!(access.visitor(&of_cookie(&cookie)), Some(trainee));
    for token in ["", "wrong"] {
        assert!(access.enter(token, "ada").unwrap_err().to_string().starts_with("token: not the token"));
    }
    assert!(access.enter("secret", "<b>").unwrap_err().to_string().starts_with("name: "));
}

#[tokio::test]
async fn a_session_ends_after_twelve_hours_and_cannot_be_changed() {
    let access = access(&GUARDED).await;
    let now = Utc::now();
    let visitor = Visitor::new(Some("ada"), Viewer::Trainee);
    let session = access.write(&visitor, now + SESSION);
    assert_eq!(access.read(&session, now + SESSION - TimeDelta::seconds(2)), Some(visitor));
    assert_eq!(access.read(&session, now + SESSION), None);
    let parts: Vec<&str> = session.split('.').collect();
    let &[letter, name, until, signature] = parts.as_slice() else { panic!("{session}") };
    for forged in [
        format!("i.{name}.{until}.{signature}"),
        format!("{letter}.ben.{until}.{signature}"),
        format!("{letter}.{name}.9999999999.{signature}"),
        format!("{letter}.{name}.{until}."),
        String::new(),
    ] {
        assert_eq!(access.read(&forged, now), None, "{forged}");
    }
}

#[tokio::test]
async fn a_session_outlives_a_restart_but_not_its_token() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(Some(&folder.path().join("room.sqlite"))).await.unwrap();
    let open = async |flags: &[&str]| {
        let config = RoomConfig::parse_from([&["control-room"], flags].concat());
        Access::open(&store, &config).await.unwrap()
    };
    let now = Utc::now();
    let session = open(&GUARDED).await.write(&Visitor::new(None, Viewer::Trainee), now + SESSION);
    assert!(open(&GUARDED).await.read(&session, now).is_some());
    let replaced = ["--access-token", "new", "--instructor-token", "secret"];
    assert!(open(&replaced).await.read(&session, now).is_none());
}

#[tokio::test]
async fn a_hook_takes_its_token_as_a_header_or_as_a_routing_key() {
    let open = access(&[]).await;
    assert!(open.hook(&HeaderMap::new(), None));
    let guarded = access(&["--hook-token", "bell"]).await;
    assert!(guarded.hook(&headers(&[("authorization", "Bearer bell")]), None));
    assert!(guarded.hook(&HeaderMap::new(), Some("bell")));
    for (header, key) in [("Bearer door", None), ("Bearer", Some("door")), ("Bearer ", Some(""))] {
        assert!(!guarded.hook(&headers(&[("authorization", header)]), key), "{header} {key:?}");
    }
}

#[tokio::test]
async fn cookies_are_for_https_only_where_the_pages_are() {
    let plain = access(&[]).await.enter("", "").unwrap().1;
    assert!(!plain.contains("Secure") && plain.contains("HttpOnly; SameSite=Strict"), "{plain}");
    let secure = access(&["--public-url", "https://room.example"]).await.enter("", "").unwrap().1;
    assert!(secure.ends_with("; Secure"), "{secure}");
}
