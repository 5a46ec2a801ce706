//! The pages: HTML from the server, that works before any script does.
//!
//! `layout` is the frame, `parts` are the pieces, `assets` the styles and scripts. Each other module is a page or a few. A
//! form posts, and its answer is a redirect. Nothing that is sealed is given to a page before it asks who looks.

mod actions;
mod acts;
mod alerts;
mod assets;
mod automation;
mod boards;
mod drills;
mod editor;
mod explore;
mod failure;
mod faults;
mod gameday;
pub(crate) mod grafana;
mod incident;
mod incidents;
mod layout;
mod login;
mod map;
mod measures;
mod now;
mod oncall;
mod parts;
mod playbooks;
mod postmortems;
mod releases;
mod runbooks;
mod strip;

use axum::{
    Router,
    extract::State,
    middleware::{from_fn_with_state, map_response},
    response::Response,
    routing::get,
};
use chassis_http::Routes;
use chrono::Utc;
use http::{
    HeaderName, HeaderValue,
    header::{
        CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
    },
};
use maud::html;

use self::layout::Html;
use crate::{
    access::{Refusal, Visitor},
    room::Room,
};

/// Routes of one area, and method and template of each.
type Area = (Router<Room>, &'static [(&'static str, &'static str)]);

/// Nothing from elsewhere, nothing inline, in no frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Headers that every page has, unless it sets its own.
const HEADERS: [(HeaderName, &str); 6] = [
    (CONTENT_SECURITY_POLICY, POLICY),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (X_FRAME_OPTIONS, "DENY"),
    (REFERRER_POLICY, "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    // A page may be kept for the way back, but it is asked for again.
    (CACHE_CONTROL, "private, no-cache"),
];

/// All pages.
pub fn routes(room: &Room) -> Routes {
    let areas = [
        own(),
        incidents::routes(),
        incident::routes(),
        postmortems::routes(),
        measures::routes(),
        playbooks::routes(),
        login::routes(),
        boards::routes(),
        explore::routes(),
        actions::routes(),
        alerts::routes(),
        automation::routes(),
        oncall::routes(),
        faults::routes(),
        runbooks::routes(),
        drills::routes(),
        gameday::routes(),
        releases::routes(),
    ];
    let (mut router, mut declared) = (Router::new(), Vec::new());
    for (routes, list) in areas {
        router = router.merge(routes);
        declared.extend_from_slice(list);
    }
    let clock = from_fn_with_state(room.clone(), drills::clock::around);
    let router = router.layer(clock).layer(map_response(finish)).with_state(room.clone());
    Routes::plain(router, &declared)
}

fn own() -> Area {
    let router = Router::new()
        .route("/", get(now::show))
        .route("/strip", get(strip_alone))
        .route("/assets/{name}", get(assets::serve));
    (router, &[("GET", "/"), ("GET", "/strip"), ("GET", "/assets/{name}")])
}

/// The strip alone, for pages that do not refresh themselves.
async fn strip_alone(State(room): State<Room>, _: Visitor) -> Html {
    Html(html! { (strip::strip(&room, Utc::now(), true)) })
}

/// What is the same for all answers: the look of refusals, and the headers that keep a page safe.
async fn finish(mut response: Response) -> Response {
    if let Some(refusal) = response.extensions_mut().remove::<Refusal>() {
        response = failure::page(&refusal);
    }
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_refusal_gets_the_look_of_a_page_and_every_answer_its_headers() {
        use axum::response::IntoResponse as _;
        let refused = finish(Refusal::field("text", "a few words").into_response()).await;
        assert_eq!(refused.status(), 422);
        let policy = refused.headers()[CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        let own = finish(([(CACHE_CONTROL, "no-store")], "x").into_response()).await;
        assert_eq!(own.headers()[CACHE_CONTROL], "no-store");
    }
}
