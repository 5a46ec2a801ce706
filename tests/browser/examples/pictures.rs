//! Writes a picture of every page, dark and light, into a folder: `cargo run -p browser --example pictures -- docs/images`.
//! Each shows the whole page. The first page and that of an incident also as a phone shows them; the first page and that of alerts
//! also before anything was measured, and while Prometheus does not answer.

use std::{
    fs,
    path::{Path, PathBuf},
};

use browser::{Browser, Mood, Options, Room, audit, pages::PAGES, run, with_browser};
use clap::Parser;

/// Writes a picture of every page of the control room, dark and light.
#[derive(Debug, Parser)]
struct Args {
    /// Where to; it is created.
    folder: PathBuf,
}

/// Width and least height of a window on a desk and on a phone.
const DESK: (u32, u32) = (1440, 900);
const PHONE: (u32, u32) = (360, 780);
/// The longest picture; what is below is cut.
const LONGEST: u32 = 3000;
/// Pages that are also drawn as a phone shows them.
const ON_A_PHONE: [&str; 2] = ["now", "incident"];
/// Pages that are also drawn while there is nothing to see.
const WITHOUT_DATA: [(&str, &str); 2] = [("now", "/"), ("alerts", "/alerts")];
const SCHEMES: [&str; 2] = ["dark", "light"];

fn main() {
    let Args { folder } = Args::parse();
    fs::create_dir_all(&folder).expect("a folder");
    run(async {
        let room = Room::with_a_story().await;
        with_browser(&room.base, Options::default(), async |browser| {
            for scheme in SCHEMES {
                draw(browser, &folder, scheme).await;
            }
            room.shop.prometheus_answers(Mood::Unavailable);
            browser.go("/").await;
            browser.see("//main//*[contains(., 'Prometheus does not answer')]").await;
            for scheme in SCHEMES {
                browser.prefer(scheme).await;
                for (name, path) in WITHOUT_DATA {
                    browser.go(path).await;
                    keep(browser, folder.join(format!("{name}-unreachable-{scheme}.png")), DESK).await;
                }
            }
        })
        .await;
        loading(&folder).await;
    });
}

async fn draw(browser: &Browser, folder: &Path, scheme: &str) {
    browser.prefer(scheme).await;
    for page in PAGES {
        if page.instructor {
            browser.become_instructor().await;
        }
        browser.go(page.path).await;
        keep(browser, folder.join(format!("{}-{scheme}.png", page.name)), DESK).await;
        if ON_A_PHONE.contains(&page.name) {
            browser.size(PHONE.0, PHONE.1).await;
            browser.go(page.path).await;
            keep(browser, folder.join(format!("{}-{scheme}-360.png", page.name)), PHONE).await;
            browser.size(DESK.0, DESK.1).await;
        }
    }
    browser.leave().await;
}

/// A control room that has just started gives up its first look after two seconds, so each picture is of another one.
async fn loading(folder: &Path) {
    // Pages are named in full, because each room has its own address.
    with_browser("", Options::default(), async |browser| {
        for scheme in SCHEMES {
            browser.prefer(scheme).await;
            for (name, path) in WITHOUT_DATA {
                let room = Room::loading().await;
                browser.go(&format!("{}{path}", room.base)).await;
                let picture = browser.picture().await.expect("a picture");
                write(&folder.join(format!("{name}-loading-{scheme}.png")), &picture);
            }
        }
    })
    .await;
}

/// Keeps a picture of the whole page, and makes the window as large as it was.
async fn keep(browser: &Browser, file: PathBuf, (width, least): (u32, u32)) {
    audit::drawn(browser).await;
    let mut height = least;
    // A field that is as high as a part of the window grows with it.
    while let Some(more) = Some(audit::height(browser).await.min(LONGEST)).filter(|more| *more > height) {
        height = more;
        browser.size(width, height).await;
        audit::drawn(browser).await;
    }
    let picture = browser.picture().await.expect("a picture");
    write(&file, &picture);
    browser.size(width, least).await;
}

fn write(file: &Path, picture: &[u8]) {
    fs::write(file, picture).expect("a folder that can be written to");
    println!("{}", file.display());
}
