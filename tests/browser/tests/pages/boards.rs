//! Every dashboard of the repository, drawn with data.

use std::{fs, path::PathBuf};

use browser::{Browser, Options, Room, audit, root, run, with_browser};
use serde_json::Value;

/// For each panel that is shown: its title, and what is wrong with it, which is empty if it shows data.
const PANELS: &str = "
const wrong = (panel) => {
  const trouble = panel.querySelector('.b-trouble, .b-nothing, .note');
  if (trouble) return trouble.innerText;
  const body = panel.querySelector('.b-body') ?? panel;
  const drawn = body.querySelector('svg, canvas, table, ol, ul, p');
  return drawn || body.innerText.trim() ? '' : 'it is empty';
};
return [...document.querySelectorAll('main article[id^=panel-]')].map((panel) => [panel.querySelector('h3').textContent, wrong(panel)]);
";

#[test]
fn every_board_of_the_repository_is_listed_and_drawn_with_data() {
    testkit::needs!(Chromium);
    run(async {
        let room = Room::shared().await;
        let files = files();
        assert!(files.len() >= 10, "{files:?}");
        with_browser(&room.base, Options::default(), async |browser| {
            for file in files {
                let board: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
                is_drawn(browser, &board).await;
            }
        })
        .await;
    });
}

fn files() -> Vec<PathBuf> {
    let folder = fs::read_dir(root().join("dashboards/grafana")).unwrap();
    let mut files: Vec<PathBuf> = folder.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|ending| ending == "json"));
    files.sort();
    files
}

async fn is_drawn(browser: &Browser, board: &Value) {
    let (uid, title) = (board["uid"].as_str().unwrap(), board["title"].as_str().unwrap());
    browser.go("/dashboards").await;
    browser.click(&format!("//main//a[@href='/d/{uid}' and normalize-space(.)='{title}']")).await;
    browser.see(&format!("//h1[normalize-space(.)='{title}']")).await;
    // Folded rows are unfolded by the address.
    let folded: Vec<String> =
        rows(board).filter(|row| row["collapsed"] == true).map(|row| row["id"].to_string()).collect();
    browser.go(&format!("/d/{uid}?from=now-15m&to=now&rows={}", folded.join(","))).await;
    audit::drawn(browser).await;
    let shown = browser.run(PANELS, &[]).await;
    let shown: Vec<(&str, &str)> = shown
        .as_array()
        .unwrap()
        .iter()
        .map(|panel| (panel[0].as_str().unwrap(), panel[1].as_str().unwrap()))
        .collect();
    assert_eq!(shown.len(), panels(board).len(), "{uid}: {shown:?}");
    let wrong: Vec<_> = shown.iter().filter(|(_, wrong)| !wrong.is_empty()).collect();
    assert!(wrong.is_empty(), "{uid}: {wrong:#?}");
    let missing: Vec<String> =
        panels(board).into_iter().filter(|title| !shown.iter().any(|(known, _)| known == title)).collect();
    assert!(missing.is_empty(), "{uid}: {missing:?}");
}

fn rows(board: &Value) -> impl Iterator<Item = &Value> {
    board["panels"].as_array().into_iter().flatten().filter(|panel| panel["type"] == "row")
}

/// Titles of all panels, those of folded rows included.
fn panels(board: &Value) -> Vec<String> {
    let top = board["panels"].as_array().into_iter().flatten();
    let within = rows(board).flat_map(|row| row["panels"].as_array().into_iter().flatten());
    let panels = top.chain(within).filter(|panel| panel["type"] != "row");
    panels.map(|panel| panel["title"].as_str().unwrap_or_default().to_owned()).collect()
}
