//! Postmortems: a draft, versions, two people who edit at once, and action items that stay until they are done.

use crate::support::Rig;

#[tokio::test]
async fn a_postmortem_is_edited_in_versions_and_nobody_overwrites_another() {
    let rig = Rig::start().await;
    rig.post("/login", &[("name", "ada"), ("next", "/")]).await;
    rig.declare("orders fail", "SEV-4").await;
    let paper = "/postmortems/INC-1";
    rig.get(paper).await.has("Nobody has written it yet.");
    let mine = rig.get(&format!("{paper}/edit")).await;
    mine.has("## Contributing factors").has("name=\"expected_version\" value=\"0\"");
    let saved = rig
        .submit(&mine, paper, &[("expected_version", "0"), ("text", "# INC-1\r\n\r\n*calm* <b>x</b>")])
        .await;
    assert_eq!((saved.status, saved.location.as_str()), (303, paper));
    rig.get(paper).await.has("<em>calm</em>").has_not("<b>x").has("Version 1").has("by ada");

    let late = rig.submit(&mine, paper, &[("expected_version", "0"), ("text", "my other text")]).await;
    assert_eq!(late.status, 409);
    late.has("my other text").has("name=\"expected_version\" value=\"1\"").has("Read the other version");
    let saved = rig.submit(&late, paper, &[("expected_version", "1"), ("text", "my other text")]).await;
    assert_eq!(saved.status, 303);
    rig.get(&format!("{paper}?version=1")).await.has("<em>calm</em>").has("Version 2");
    let file = rig.get(&format!("{paper}/markdown")).await;
    assert_eq!(file.body, "my other text");
    assert!(file.header("content-disposition").contains("INC-1.md"));
    rig.get("/postmortems").await.has("orders fail").has("Version 2");
    rig.stop().await;
}

#[tokio::test]
async fn an_action_item_nags_until_it_is_done() {
    let rig = Rig::start().await;
    let path = rig.declare("orders fail", "SEV-4").await;
    let page = rig.get(&path).await;
    let fields = [("text", "add a limit"), ("follow_up", "yes"), ("owner", "ben"), ("due", "2020-01-01")];
    assert_eq!(rig.submit(&page, &format!("{path}/tasks"), &fields).await.status, 303);
    let list = rig.get("/postmortems").await;
    list.has("add a limit").has(">late<");
    rig.get("/").await.has("Late action items").has("add a limit").has("was due on 2020-01-01");
    assert_eq!(rig.submit(&list, &format!("{path}/tasks/1/done"), &[]).await.status, 303);
    rig.get("/postmortems").await.has_not("add a limit");
    rig.get("/").await.has_not("Late action items");
    rig.stop().await;
}
