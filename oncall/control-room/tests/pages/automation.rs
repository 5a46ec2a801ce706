//! Runbooks, runs, the switch and toil, used as a browser without scripts does. Nothing that is watched answers: a run says so, and
//! continues where its steps allow it.

use crate::support::{Page, Rig};

const RUN: &str = "/runbook-runs/RUN-1";

fn is_sound(page: &Page) {
    assert_eq!(
        (page.body.matches("<h1").count(), page.body.matches("<main").count()),
        (1, 1),
        "{}",
        page.body
    );
    page.has_not(" style=\"").has_not("<style").has_not(" onclick=");
}

#[tokio::test]
async fn a_person_is_guided_through_a_procedure_on_its_page() {
    let rig = Rig::start().await;
    rig.get("/runbooks").await.has("Procedures").has("href=\"/runbooks/hand-over\"");
    let page = rig.get("/runbooks/hand-over").await;
    is_sound(&page);
    let missing = rig.submit(&page, "/runbooks/hand-over/runs", &[("p-next", ""), ("mode", "manual")]).await;
    assert_eq!(missing.status, 409);
    missing.has("That was not done.").has(": missing (who takes over");
    let fields = [("p-next", "ben"), ("mode", "manual")];
    let dry = rig.submit(&page, "/runbooks/hand-over/dry", &fields).await;
    assert_eq!(dry.status, 200);
    is_sound(&dry);
    dry.has("could begin now").has("It changes nothing").has("control_room_on_call{person=&quot;ben&quot;}");

    let begun = rig.submit(&page, "/runbooks/hand-over/runs", &fields).await;
    assert_eq!((begun.status, begun.location.as_str()), (303, RUN));
    let first = rig.until(RUN, "Next: no-open-incident").await;
    is_sound(&first);
    let confirm = format!("{RUN}/confirm");
    assert_eq!(rig.submit(&first, &confirm, &[("place", "step-1")]).await.status, 303);
    let second = rig.until(RUN, "Next: nothing-fires").await;
    second.has("could not be asked");
    let stale = rig.submit(&second, &confirm, &[("place", "step-1")]).await;
    assert_eq!(stale.status, 409);
    stale.has("is not at step-1 any more");
    let skip = format!("{RUN}/skip");
    assert_eq!(rig.submit(&second, &skip, &[("why", "")]).await.status, 409);
    assert_eq!(rig.submit(&second, &skip, &[("why", "nobody can know")]).await.status, 303);
    let third = rig.until(RUN, "Next: budgets-last").await;
    third.has("left out by").has("nobody can know");
    assert_eq!(rig.submit(&third, &format!("{RUN}/stop"), &[("why", "it is enough")]).await.status, 303);
    let over = rig.get(RUN).await;
    over.has("stopped").has("it is enough").has_not("Stop the run");
    rig.get("/automation").await.has("RUN-1 hand-over");
    // A hand-over goes with the work: it is no toil, and saves nothing if it is automated.
    rig.get("/toil").await.has("Overhead ").has_not("href=\"/runbooks/hand-over\"");
    assert_eq!(rig.ask("/runbook-runs/RUN-9").await.status, 404);
    rig.stop().await;
}

#[tokio::test]
async fn the_switch_says_who_turned_it_and_why_and_the_audit_log_has_it() {
    let rig = Rig::start().await;
    let page = rig.get("/automation").await;
    is_sound(&page);
    page.has("Automation is off").has("nobody has switched it on").has("end-forgotten-transactions");
    let refused = rig.submit(&page, "/automation", &[("on", "true"), ("why", " ")]).await;
    assert_eq!(refused.status, 422);
    refused.has("a few words");
    let turned = rig.submit(&page, "/automation", &[("on", "true"), ("why", "it has proven itself")]).await;
    assert_eq!((turned.status, turned.location.as_str()), (303, "/automation"));
    let on = rig.get("/automation").await;
    on.has("Automation is on").has("it has proven itself").has("Switch automation off");
    rig.submit(&on, "/automation", &[("on", "false"), ("why", "it goes too far")]).await;
    rig.get("/automation").await.has("Automation is off").has("it goes too far");
    let log = rig.get("/api/v1/audit").await;
    log.has("automation.on").has("it goes too far");
    rig.stop().await;
}

#[tokio::test]
async fn toil_without_work_says_so_and_a_wrong_span_is_refused() {
    let rig = Rig::start().await;
    let page = rig.get("/toil").await;
    is_sound(&page);
    page.has("No manual work.").has("Nothing repeats.");
    rig.get("/toil?since=28d").await.has("aria-current=\"page\"");
    let refused = rig.ask("/toil?since=forever").await;
    assert_eq!(refused.status, 422);
    refused.has("7d");
    rig.stop().await;
}
