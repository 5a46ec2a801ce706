//! Writes a picture of every page, dark and light, into a folder: `cargo run -p browser --example pictures -- docs/images`.
//! The first page and that of an incident also as a phone shows them.

use std::{fs, path::PathBuf};

use browser::{Browser, Options, Room, audit, pages::PAGES, run, with_browser};
use clap::Parser;

/// Writes a picture of every page of the control room, dark and light.
#[derive(Debug, Parser)]
struct Args {
    /// Where to; it is created.
    folder: PathBuf,
}

/// Pages that are also drawn as a phone shows them.
const ON_A_PHONE: [&str; 2] = ["now", "incident"];

fn main() {
    let Args { folder } = Args::parse();
    fs::create_dir_all(&folder).expect("a folder");
    run(async {
        let room = Room::with_a_story().await;
        with_browser(&room.base, Options::default(), async |browser| {
            for scheme in ["dark", "light"] {
                draw(browser, &folder, scheme).await;
            }
        })
        .await;
    });
}

async fn draw(browser: &Browser, folder: &std::path::Path, scheme: &str) {
    browser.prefer(scheme).await;
    for page in PAGES {
        if page.instructor {
            browser.become_instructor().await;
        }
        browser.go(page.path).await;
        keep(browser, folder.join(format!("{}-{scheme}.png", page.name))).await;
        if ON_A_PHONE.contains(&page.name) {
            browser.size(360, 780).await;
            browser.go(page.path).await;
            keep(browser, folder.join(format!("{}-{scheme}-360.png", page.name))).await;
            browser.size(1440, 900).await;
        }
    }
    browser.leave().await;
}

async fn keep(browser: &Browser, file: PathBuf) {
    audit::drawn(browser).await;
    let picture = browser.picture().await.expect("a picture");
    fs::write(&file, picture).expect("a folder that can be written to");
    println!("{}", file.display());
}
