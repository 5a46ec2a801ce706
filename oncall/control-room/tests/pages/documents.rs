//! What holds for every page: a sound document, nothing inline, nothing from elsewhere, and a word where a list is empty.

use std::collections::BTreeSet;

use crate::support::{Page, Rig};

const PAGES: [&str; 14] = [
    "/",
    "/drills",
    "/drills/first-page",
    "/drills/runs",
    "/gameday",
    "/gameday?drills=first-page,noon&from=2026-05-04T10:00:00Z&scribe=ben",
    "/incidents",
    "/incidents/new",
    "/postmortems",
    "/measures",
    "/releases",
    "/playbooks",
    "/playbooks/declare",
    "/login",
];

/// A document that a browser takes without repair and a screen reader can walk.
fn is_sound(path: &str, page: &Page) {
    assert!(page.body.starts_with("<!DOCTYPE html>"), "{path}");
    for (what, count) in [("<h1", 1), ("<main", 1), ("<title>", 1), ("</html>", 1)] {
        assert_eq!(page.body.matches(what).count(), count, "{path}: {what}\n{}", page.body);
    }
    let ids = page.between(" id=\"", "\"");
    let unique: BTreeSet<&str> = ids.iter().copied().collect();
    assert_eq!(ids.len(), unique.len(), "{path} has an id twice: {ids:?}");
    for label in page.between(" for=\"", "\"") {
        assert!(unique.contains(label), "{path}: a label for `{label}`, which is not there");
    }
    for described in page.between(" aria-labelledby=\"", "\"") {
        assert!(unique.contains(described), "{path}: labelled by `{described}`, which is not there");
    }
}

/// What the content security policy would block, or would call elsewhere.
fn keeps_the_policy(path: &str, page: &Page) {
    assert!(page.header("content-security-policy").contains("default-src 'none'"), "{path}");
    for inline in [" style=\"", "<style", " onclick=", " onload=", "javascript:"] {
        page.has_not(inline);
    }
    for script in page.between("<script", "</script>") {
        assert!(script.contains("src=\"/assets/") && script.ends_with('>'), "{path}: {script}");
    }
    for loaded in page.between("<link", ">").iter().chain(&page.between("<img", ">")) {
        assert!(!loaded.contains("//"), "{path} loads {loaded}");
    }
}

#[tokio::test]
async fn every_page_is_a_sound_document_with_nothing_inline() {
    let rig = Rig::start().await;
    let incident = rig.declare("orders fail", "SEV-2").await;
    for path in PAGES.iter().copied().chain([incident.as_str()]) {
        let page = rig.get(path).await;
        is_sound(path, &page);
        keeps_the_policy(path, &page);
    }
    rig.stop().await;
}

#[tokio::test]
async fn styles_and_scripts_exist_and_are_kept_by_browsers() {
    let rig = Rig::start().await;
    let page = rig.get("/").await;
    let mut files = page.between("src=\"", "\"");
    files.extend(page.between("<link rel=\"stylesheet\" href=\"", "\""));
    files.extend(page.between("<link rel=\"icon\" type=\"image/svg+xml\" href=\"", "\""));
    assert_eq!(files.len(), 6, "{files:?}");
    for file in files {
        let asset = rig.get(file).await;
        assert!(asset.header("cache-control").contains("immutable"), "{file}");
        assert_eq!(asset.header("x-content-type-options"), "nosniff", "{file}");
    }
    assert_eq!(rig.ask("/assets/room.css").await.status, 404);
    rig.stop().await;
}

#[tokio::test]
async fn what_is_empty_says_so_and_what_does_not_answer_is_named() {
    let rig = Rig::start().await;
    rig.get("/")
        .await
        .has("No open incident.")
        .has("Nothing changed in the last 24 hours.")
        .has("first-line");
    rig.get("/incidents").await.has("No incident.");
    rig.get("/postmortems").await.has("No postmortem yet.").has("None.");
    rig.get("/measures").await.has("Nothing has been measured yet.");
    // Nothing listens there: the page is still served, and says which part is missing.
    rig.until("/", "does not answer").await.has("order-api").has("user-service");
    rig.stop().await;
}

#[tokio::test]
async fn every_playbook_is_a_page_and_links_lead_to_others() {
    let rig = Rig::start().await;
    let list = rig.get("/playbooks").await;
    for name in ["declare", "roles", "communication", "hand-over", "stand-down"] {
        list.has(&format!("href=\"/playbooks/{name}\""));
        let page = rig.get(&format!("/playbooks/{name}")).await;
        for link in page.between("<a href=\"", "\"").iter().filter(|link| link.ends_with(".md")) {
            rig.get(&format!("/playbooks/{link}")).await;
        }
    }
    let missing = rig.ask("/playbooks/panic").await;
    assert_eq!(missing.status, 404);
    missing.has("There is no playbook `panic`").has("declare");
    rig.stop().await;
}

#[tokio::test]
async fn an_instructor_sees_faults_and_others_do_not() {
    let rig = Rig::start().await;
    rig.get("/").await.has_not("Active faults").has_not("href=\"/faults\"").has("responder");
    let entered =
        rig.post("/login", &[("name", "ada"), ("role", "instructor"), ("next", "/incidents")]).await;
    assert_eq!((entered.status, entered.location.as_str()), (303, "/incidents"));
    rig.get("/").await.has("Active faults").has("href=\"/faults\"").has("instructor").has(">ada<");
    assert_eq!(rig.post("/leave", &[]).await.location, "/login");
    rig.get("/").await.has_not("Active faults");
    rig.stop().await;
}

#[tokio::test]
async fn the_way_in_leads_to_this_site_only_and_names_people() {
    let rig = Rig::start().await;
    rig.get("/login?next=//evil.example").await.has("Ada Okafor").has_not("evil.example");
    let away = rig.post("/login", &[("name", "ben"), ("next", "https://evil.example/")]).await;
    assert_eq!((away.status, away.location.as_str()), (303, "/"));
    rig.get("/").await.has(">ben<").has("responder");
    let wrong = rig.post("/login", &[("name", "<b>"), ("next", "/")]).await;
    assert_eq!(wrong.status, 422);
    wrong.has("That was not done.");
    rig.stop().await;
}

#[tokio::test]
async fn beyond_this_machine_a_token_is_asked_for() {
    let tokens = ["--access-token=open-sesame", "--instructor-token=behind-the-curtain"];
    let rig = Rig::start_with(&tokens).await;
    let sent_away = rig.ask("/incidents?state=open").await;
    assert_eq!(
        (sent_away.status, sent_away.location.as_str()),
        (303, "/login?next=%2Fincidents%3Fstate%3Dopen")
    );
    assert_eq!(rig.ask("/incidents/INC-1/curve.json").await.status, 401);
    let wrong = rig.post("/login", &[("name", "ada"), ("token", "guess")]).await;
    assert_eq!(wrong.status, 422);
    wrong.has("not the token").has_not("open-sesame");
    let entered =
        rig.post("/login", &[("name", "ada"), ("token", "open-sesame"), ("next", "/incidents")]).await;
    assert_eq!(entered.status, 303, "{}", entered.body);
    rig.get("/incidents").await.has(">ada<").has("responder");
    rig.stop().await;
}
