//! An incident from its declaration to its end, by links and forms alone.

use crate::support::Rig;

#[tokio::test]
async fn an_incident_is_declared_acknowledged_and_ended_by_forms() {
    let rig = Rig::start().await;
    rig.post("/login", &[("name", "ada"), ("next", "/")]).await;
    let path = rig.declare("orders fail", "SEV-4").await;
    assert_eq!(path, "/incidents/INC-1");
    let first = rig.get("/").await;
    first.has("1 open incident").has("Nobody has acknowledged").has("SEV-4").has("(1) Now");
    // Where "Acknowledge" of a notification leads to.
    rig.get(&path).await.has("id=\"acknowledge\"");
    let done = rig.submit(&first, "/incidents/INC-1/acknowledge", &[]).await;
    assert_eq!((done.status, done.location.as_str()), (303, "/incidents/INC-1#main"));
    let page = rig.get(&path).await;
    page.has("Acknowledged by").has("ada").has_not("/acknowledge\"");

    let fields = [("why", "the release was rolled back")];
    assert_eq!(rig.submit(&page, "/incidents/INC-1/state/mitigated", &fields).await.status, 303);
    let page = rig.get(&path).await;
    page.has("now mitigated: the release was rolled back").has_not("state/dismissed");
    assert_eq!(rig.submit(&page, "/incidents/INC-1/state/resolved", &[("why", "")]).await.status, 303);
    let page = rig.get(&path).await;
    assert_eq!(rig.submit(&page, "/incidents/INC-1/state/closed", &[("why", "")]).await.status, 303);
    rig.get(&path).await.has("closed").has_not("/escalate\"").has_not("/updates\"");
    rig.get("/").await.has("No open incident.").has("The last one was");
    rig.stop().await;
}

#[tokio::test]
async fn what_was_wrong_is_said_where_it_was_and_the_text_is_kept() {
    let rig = Rig::start().await;
    let page = rig.get("/incidents/new").await;
    let wrong =
        rig.submit(&page, "/incidents", &[("title", "  "), ("severity", "SEV-1"), ("service", "")]).await;
    assert_eq!(wrong.status, 422);
    wrong.has("That was not done.").has("<option value=\"SEV-1\" selected>");
    let path = rig.declare("orders fail", "SEV-4").await;

    let page = rig.get(&path).await;
    let fields = [("text", "roll back"), ("follow_up", "no"), ("owner", ""), ("due", "tomorrow")];
    let wrong = rig.submit(&page, "/incidents/INC-1/tasks", &fields).await;
    assert_eq!(wrong.status, 422);
    wrong.has("expected a date such as 2026-11-29").has("value=\"roll back\"").has("role=\"alert\"");

    // Two tabs: what the other one did is not possible any more.
    rig.submit(&page, "/incidents/INC-1/state/dismissed", &[("why", "a test")]).await;
    let late = rig.submit(&page, "/incidents/INC-1/state/resolved", &[("why", "it is over")]).await;
    assert_eq!(late.status, 409);
    late.has("INC-1 is dismissed and cannot become resolved");
    rig.stop().await;
}

#[tokio::test]
async fn a_description_is_on_the_page_and_is_kept_if_the_form_was_wrong() {
    let rig = Rig::start().await;
    let page = rig.get("/incidents/new").await;
    let send = async |title: &str| {
        let fields =
            [("title", title), ("description", "since <noon>"), ("severity", "SEV-4"), ("service", "")];
        rig.submit(&page, "/incidents", &fields).await
    };
    let wrong = send("").await;
    assert_eq!(wrong.status, 422);
    wrong.has("since &lt;noon&gt;</textarea>");
    assert_eq!(send("orders fail").await.location, "/incidents/INC-1");
    rig.get("/incidents/INC-1").await.has("<p class=\"description\">since &lt;noon&gt;</p>");
    rig.stop().await;
}

#[tokio::test]
async fn a_form_from_elsewhere_changes_nothing() {
    let rig = Rig::start().await;
    let path = rig.declare("orders fail", "SEV-4").await;
    for fields in [&[][..], &[("csrf", "0")], &[("csrf", "0"), ("extra", "1")]] {
        let refused = rig.post(&format!("{path}/acknowledge"), fields).await;
        assert_eq!(refused.status, 422, "{}", refused.body);
        assert!(refused.body.contains("/assets/room-"), "it has the look of all pages: {}", refused.body);
    }
    rig.get(&path).await.has("Nobody has acknowledged");
    let unknown = rig.ask("/incidents/INC-99").await;
    assert_eq!(unknown.status, 404);
    unknown.has("INC-99");
    assert_eq!(rig.ask("/incidents/nonsense").await.status, 422);
    rig.stop().await;
}

#[tokio::test]
async fn hypotheses_tasks_links_roles_and_notes_are_kept_with_who_wrote_them() {
    let rig = Rig::start().await;
    rig.post("/login", &[("name", "ben"), ("next", "/")]).await;
    let path = rig.declare("orders fail", "SEV-4").await;
    let send = async |form: &str, fields: &[(&str, &str)]| {
        let page = rig.get(&path).await;
        let sent = rig.submit(&page, &format!("{path}/{form}"), fields).await;
        assert_eq!(sent.status, 303, "{form}: {}", sent.body);
    };
    send("hypotheses", &[("text", "the database <is> slow")]).await;
    let found =
        [("text", "p95 of queries is 3 ms"), ("supports", "no"), ("query", "db_p95"), ("answer", "0.003")];
    send("hypotheses/1/findings", &found).await;
    send("hypotheses/1/verdict", &[("verdict", "ruled-out"), ("why", "queries are fast")]).await;
    send("tasks", &[("text", "roll back"), ("follow_up", "no"), ("owner", "ada"), ("due", "2026-11-29")])
        .await;
    send("tasks/1/done", &[]).await;
    send("links", &[("title", "status page"), ("url", "https://status.example/1")]).await;
    send("roles", &[("role", "commander"), ("person", "cleo")]).await;
    send("notes", &[("text", "customers call")]).await;
    send("services", &[("service", "user-service"), ("affected", "yes")]).await;
    let page = rig.get(&path).await;
    page.has("the database &lt;is&gt; slow").has("ruled out").has("against").has("db_p95").has("1 done");
    page.has("href=\"https://status.example/1\"")
        .has("cleo is commander")
        .has("customers call")
        .has("note · ben");
    page.has("order-api, user-service");

    let people = rig.get(&format!("{path}?show=people")).await;
    people.has("cleo is commander").has_not("hypothesis 1 is ruled out");
    let script = [("title", "x"), ("url", "javascript:alert(1)")];
    let refused = rig.submit(&page, &format!("{path}/links"), &script).await;
    assert_eq!(refused.status, 422);
    rig.stop().await;
}

#[tokio::test]
async fn a_major_incident_gets_a_team_a_playbook_and_a_war_room() {
    let rig = Rig::start().await;
    rig.post("/login", &[("name", "ada"), ("next", "/")]).await;
    let path = rig.declare("orders fail", "SEV-3").await;
    let page = rig.get(&path).await;
    let team = [
        ("why", "many customers"),
        ("commander", "ada"),
        ("operations", "ben"),
        ("communications", ""),
        ("scribe", ""),
    ];
    assert_eq!(rig.submit(&page, &format!("{path}/major"), &team).await.status, 303);
    let page = rig.until(&path, &format!("action=\"{path}/messages\"")).await;
    page.has("major incident").has("SEV-2").has("ada is commander").has("ben is operations");
    page.has("href=\"/playbooks/roles\"");
    rig.get("/api/v1/pages").await.has("ada needs you as operations").has_not("needs you as commander");

    let call = format!("{path}/page");
    let nobody = rig.submit(&page, &call, &[("person", ""), ("why", "knows the network")]).await;
    assert_eq!(nobody.status, 422);
    nobody.has("expected one of the people").has("knows the network</textarea>");
    let called = rig.submit(&page, &call, &[("person", "cleo"), ("why", "knows the network")]).await;
    assert_eq!((called.status, called.location.as_str()), (303, "/incidents/INC-1#people"));
    rig.get("/api/v1/pages").await.has("INC-1: orders fail (knows the network)");
    assert_eq!(
        rig.submit(&page, &format!("{path}/messages"), &[("text", "I am the commander")]).await.status,
        303
    );
    rig.until(&path, "I am the commander").await;
    rig.stop().await;
}

#[tokio::test]
async fn the_list_can_be_filtered_and_a_wrong_filter_is_named() {
    let rig = Rig::start().await;
    rig.declare("orders fail", "SEV-2").await;
    rig.declare("a typo", "SEV-5").await;
    rig.get("/incidents").await.has("orders fail").has("a typo");
    rig.get("/incidents?state=open&severity=SEV-5&service=")
        .await
        .has("a typo")
        .has_not("</span> orders fail<");
    rig.get("/incidents?state=closed").await.has("No incident.");
    let wrong = rig.ask("/incidents?state=alive").await;
    assert_eq!(wrong.status, 422);
    wrong.has("expected open, triage");
    rig.stop().await;
}
