//! Who you are. On this machine a name is enough; elsewhere a token is needed, and it says whether you are an instructor.

use std::collections::BTreeMap;

use axum::{
    Router,
    body::Bytes,
    extract::State,
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use chassis_http::Query;
use http::{HeaderMap, HeaderValue, StatusCode, header::SET_COOKIE};
use maud::{Markup, html};
use serde::Deserialize;

use super::{
    Area,
    failure::sentence,
    layout::{Html, bare},
    parts::{error_summary, select},
};
use crate::{
    access::{Access, SOMEBODY, local},
    error::Error,
    room::Room,
};

/// The routes of this module.
pub(super) fn routes() -> Area {
    let router = Router::new().route("/login", get(show).post(enter)).route("/leave", post(leave));
    (router, &[("GET", "/login"), ("POST", "/login"), ("POST", "/leave")])
}

/// Where to go afterwards.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asked {
    next: String,
}

async fn show(State(room): State<Room>, headers: HeaderMap, Query(asked): Query<Asked>) -> Html {
    form(&room, &headers, &asked.next, None)
}

fn form(room: &Room, headers: &HeaderMap, next: &str, wrong: Option<&str>) -> Html {
    let visitor = room.access.visitor(headers);
    let name = visitor.as_ref().map_or(SOMEBODY, |visitor| visitor.name.as_str());
    let is_instructor = visitor.as_ref().is_some_and(|visitor| visitor.is_instructor());
    let (guarded, known) = (room.access.asks_for_token(), room.access.knows_people());
    let mut people = vec![(SOMEBODY.to_owned(), "somebody who is not listed".to_owned())];
    people.extend(
        room.duty
            .people()
            .into_iter()
            .map(|person| (person.name.clone(), format!("{} ({})", person.title, person.name))),
    );
    let body = html! {
        div.stack {
            @if let Some(wrong) = wrong { (error_summary(wrong)) }
            h1 { "Who are you?" }
            p.muted {
                "Your name is written beside what you do. "
                @if known { "Your own token says it. " }
                @if is_instructor { "You are an instructor now." }
            }
            form.card.stack method="post" action="/login" {
                input type="hidden" name="next" value=(local(next).unwrap_or("/"));
                @if !known { (select("login", "name", "Person", &people, name)) }
                @if guarded || known || room.access.asks_instructors() { (token(guarded, known)) }
                (buttons(guarded, is_instructor))
            }
            @if is_instructor || ((guarded || known) && visitor.is_some()) {
                form method="post" action="/leave" { button.button.quiet type="submit" { "End the session" } }
            }
        }
    };
    bare("Who are you?", body)
}

fn token(guarded: bool, known: bool) -> Markup {
    html! {
        div.field {
            label for="login-token" { "Token" }
            p.help #token-help {
                @if known { "Your own. With ACCESS_TOKEN or INSTRUCTOR_TOKEN, you come in as somebody." }
                @else if guarded { "ACCESS_TOKEN or INSTRUCTOR_TOKEN of this control room; the second one shows faults and the truth." }
                @else { "Instructors only: INSTRUCTOR_TOKEN of this control room." }
            }
            input type="password" id="login-token" name="token" autocomplete="current-password" aria-describedby="token-help"
                required[guarded];
        }
    }
}

fn buttons(guarded: bool, is_instructor: bool) -> Markup {
    html! {
        div.actions {
            button.button.info type="submit" name="role" value="responder" { "Continue" }
            @if !guarded && !is_instructor {
                button.button.quiet type="submit" name="role" value="instructor" { "Enter as instructor" }
            }
        }
        @if !guarded { p.help { "An instructor sets faults and sees what is hidden from those who look for the cause." } }
    }
}

/// The fields of the form. It is not bound to a visitor: nobody is logged in yet, and the server checks `Origin`.
fn fields(body: &[u8]) -> BTreeMap<String, String> {
    url::form_urlencoded::parse(body).into_owned().collect()
}

async fn enter(State(room): State<Room>, headers: HeaderMap, body: Bytes) -> Response {
    let fields = fields(&body);
    let field = |name: &str| fields.get(name).map_or("", String::as_str);
    let next = local(field("next")).unwrap_or("/");
    match cookies(&room, &headers, field("token"), field("name"), field("role")) {
        Ok(cookies) => {
            let mut response = Redirect::to(next).into_response();
            for cookie in cookies.iter().filter_map(|cookie| HeaderValue::from_str(cookie).ok()) {
                response.headers_mut().append(SET_COOKIE, cookie);
            }
            response
        }
        Err(wrong) => {
            let page = form(&room, &headers, next, Some(&sentence(&wrong)));
            (StatusCode::UNPROCESSABLE_ENTITY, page).into_response()
        }
    }
}

/// The cookies that say who somebody is from now on.
fn cookies(
    room: &Room,
    headers: &HeaderMap,
    token: &str,
    name: &str,
    role: &str,
) -> Result<Vec<String>, Error> {
    let access = &room.access;
    let was_instructor = access.visitor(headers).is_some_and(|visitor| visitor.is_instructor());
    // Where no token exists, somebody who is the instructor and takes another name stays the instructor.
    let stays = was_instructor && !access.asks_instructors();
    if access.asks_for_token() || !token.is_empty() || role == "instructor" || stays {
        return access.enter(token, name).map(|(_, cookie)| vec![cookie]);
    }
    Ok(vec![access.named(name)?, Access::leave()])
}

async fn leave() -> Response {
    let mut response = Redirect::to("/login").into_response();
    if let Ok(cookie) = HeaderValue::from_str(&Access::leave()) {
        response.headers_mut().insert(SET_COOKIE, cookie);
    }
    response
}
