//! Drills as a browser without scripts sees them. Nothing of the shop answers here, so a run waits for a healthy start.

use crate::support::{Page, Rig};

/// Words that would give the cause of the first drill away.
const CAUSE: [&str; 3] = ["http-error", "bad release", "change induced"];

async fn begun(rig: &Rig) -> (String, Page) {
    let briefing = rig.get("/drills/first-page").await;
    let sent = rig.submit(&briefing, "/drills/runs", &[("drill", "first-page")]).await;
    assert_eq!(sent.status, 303, "{}", sent.body);
    let page = rig.get(&sent.location).await;
    (sent.location, page)
}

#[tokio::test]
async fn the_list_and_a_briefing_say_what_is_known_and_nothing_of_the_cause() {
    let rig = Rig::start().await;
    let list = rig.get("/drills").await;
    list.has("Next for you").has("Your first page").has("A mystery").has("href=\"/drills/two-fires\"");
    let briefing = rig.get("/drills/first-page").await;
    briefing.has("Wait for the page.").has("10 min").has("You have not taken it yet.");
    for told in CAUSE {
        list.has_not(told);
        briefing.has_not(told);
    }
    let missing = rig.ask("/drills/no-such-drill").await;
    assert_eq!(missing.status, 404);
    rig.get("/drills/runs").await.has("No run yet.");
    rig.stop().await;
}

#[tokio::test]
async fn a_run_waits_for_a_healthy_start_is_on_every_page_and_can_be_aborted() {
    let rig = Rig::start().await;
    let (path, page) = begun(&rig).await;
    page.has("Your first page").has("Waiting for a healthy start").has("Briefing").has_not("Scorecard");
    for told in CAUSE {
        page.has_not(told);
    }
    // The strip of any page leads back to it, and a second drill is refused.
    rig.get("/incidents").await.has(&format!("href=\"{path}\""));
    rig.get("/drills").await.has("One at a time").has_not("Begin a mystery");
    // Only an instructor may stop the clock or see the truth.
    page.has_not("What is wrong").has_not("Pause the clock");
    let abort = format!("{path}/abort");
    let sent = rig.submit(&page, &abort, &[("why", "a test")]).await;
    assert_eq!(sent.status, 303, "{}", sent.body);
    rig.get(&path).await.has_not(&format!("action=\"{abort}\""));
    rig.stop().await;
}

#[tokio::test]
async fn what_cannot_be_begun_is_said_where_it_was_asked_for() {
    let rig = Rig::start().await;
    let list = rig.get("/drills").await;
    let wrong = rig.submit(&list, "/drills/runs", &[("difficulty", "impossible")]).await;
    assert_eq!(wrong.status, 422);
    wrong.has("That was not done.").has("expected first-day, easy, medium, hard or brutal");
    begun(&rig).await;
    let again = rig.submit(&list, "/drills/runs", &[("drill", "noon")]).await;
    assert!((400..500).contains(&again.status), "{again:?}");
    again.has("That was not done.").has("The shop stops at noon");
    assert_eq!(rig.ask("/drills/runs/none").await.status, 404);
    rig.stop().await;
}

#[tokio::test]
async fn a_game_day_is_an_address_with_drills_roles_and_a_report() {
    let rig = Rig::start().await;
    let sent = rig.ask("/gameday?title=Friday&drills=first-page,noon&commander=ada").await;
    assert_eq!(sent.status, 303, "{}", sent.body);
    assert!(sent.location.contains("from=20"), "{}", sent.location);
    let page = rig.get(&sent.location).await;
    page.has("Friday").has("Your first page").has("The shop stops at noon").has("<strong>ada</strong>");
    page.has("0 of 2");
    let report = sent.location.replace("/gameday?", "/gameday/report?");
    let report = rig.get(&report).await;
    assert!(report.header("content-type").starts_with("text/markdown"), "{report:?}");
    report.has("# Friday").has("| noon | medium | - | not run | - | - |").has("- commander: ada");
    let wrong = rig.get("/gameday?drills=no-such-drill&from=2026-05-04T10:00:00Z").await;
    wrong.has("That was not done.").has("no-such-drill");
    rig.stop().await;
}
