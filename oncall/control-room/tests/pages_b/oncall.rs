//! Who is on call.

use chrono::{TimeDelta, Utc};

use crate::rig::{Rig, Who::Trainee, between};

#[tokio::test]
async fn the_page_says_who_is_on_call_and_draws_a_week_and_a_month() {
    let rig = Rig::start().await;
    let page = rig.page(Trainee, "/oncall").await;
    for text in [
        "first-line",
        "second-line",
        "Hands over",
        "in Europe/Berlin",
        "Calendar of a week",
        "aria-current=\"date\"",
        "Notify who is on call in first-line.",
        "Wait 15\u{a0}min (15\u{a0}s here).",
        "/api/v1/oncall/schedules/first-line.ics",
        "Share",
    ] {
        assert!(page.contains(text), "{text}: {page}");
    }
    let month = rig.page(Trainee, "/oncall?schedule=second-line&view=month&from=2026-11-17").await;
    for text in
        ["November 2026", "Calendar of a month", "09:00", "Ben Larsson", "from=2026-10-01", "from=2026-12-01"]
    {
        assert!(month.contains(text), "{text}: {month}");
    }
    assert_eq!(rig.get(Trainee, "/oncall?schedule=nothing").await.status, 404);
    assert_eq!(rig.get(Trainee, "/oncall?from=tomorrow&view=year").await.status, 200);
    rig.stop().await;
}

#[tokio::test]
async fn an_override_is_made_seen_and_removed() {
    let rig = Rig::start().await;
    let wall = |hours: i64| (Utc::now() + TimeDelta::hours(hours)).format("%Y-%m-%dT%H:%M").to_string();
    let (from, until) = (wall(-24), wall(24));
    let page = rig.page(Trainee, "/oncall?schedule=second-line").await;
    assert!(page.contains("No override was made here."), "{page}");
    let times = [("from", from.as_str()), ("until", until.as_str())];
    let with = |change: &'static str, person: &'static str| {
        let fields = [("schedule", "second-line"), ("change", change), ("person", person), ("with", "")];
        [&fields[..], &times].concat()
    };
    let wrong = with("replace", "cleo");
    let shown = rig.form(Trainee, "/oncall?schedule=second-line", "/oncall/overrides", &wrong).await;
    assert_eq!(shown.status, 422);
    assert!(shown.body.contains("choose who takes the shifts"), "{}", shown.body);
    assert!(shown.body.contains(&format!("value=\"{from}\"")), "what was typed stays: {}", shown.body);
    let added = with("add", "eve");
    let page = rig.done(Trainee, "/oncall?schedule=second-line", "/oncall/overrides", &added).await;
    assert!(page.contains("Eve Sato is on call too") && page.contains("Also: Eve Sato"), "{page}");
    let id = between(&page, "action=\"/oncall/overrides/", "/remove\"").to_owned();
    let remove = format!("/oncall/overrides/{id}/remove");
    let page = rig.done(Trainee, "/oncall?schedule=second-line", &remove, &[]).await;
    assert!(page.contains("No override was made here."), "{page}");
    rig.stop().await;
}
