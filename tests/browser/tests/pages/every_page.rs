//! What holds on every page: nothing keeps people from using it, it asks nobody else for anything, it fits every window.

use browser::{
    Browser, Options, Room, audit,
    pages::{NO_PAGES, PAGES, Page},
    routes, run, with_browser,
};

/// A phone, a tablet, a large screen.
const WIDTHS: [u32; 3] = [360, 768, 1920];

/// Opens every page in turn; what `look` says of one is a failure, and all of them are told together.
async fn on_every_page(options: Options, look: impl AsyncFn(&Browser, &Page) -> Vec<String>) {
    let room = Room::shared().await;
    with_browser(&room.base, options, async |browser| {
        let mut wrong = Vec::new();
        for page in PAGES {
            if page.instructor {
                browser.become_instructor().await;
            }
            browser.go(page.path).await;
            audit::drawn(browser).await;
            assert_eq!(audit::status(browser).await, page.status, "{}", page.path);
            let said = look(browser, page).await;
            wrong.extend(said.into_iter().map(|what| format!("{}: {what}", page.path)));
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    })
    .await;
}

#[test]
fn every_route_of_the_control_room_is_looked_at() {
    run(async {
        let shown = |template: &str| PAGES.iter().any(|page| page.template == template);
        let mut unseen = Vec::new();
        for (method, template) in routes().await {
            if method == "GET" && !NO_PAGES.contains(&template.as_str()) && !shown(&template) {
                unseen.push(template);
            }
        }
        assert!(unseen.is_empty(), "add them to src/pages.rs: {unseen:?}");
    });
}

#[test]
fn nothing_keeps_people_from_using_a_dark_page() {
    testkit::needs!(Chromium, Axe);
    run(barriers("dark"));
}

#[test]
fn nothing_keeps_people_from_using_a_light_page() {
    testkit::needs!(Chromium, Axe);
    run(barriers("light"));
}

async fn barriers(scheme: &str) {
    on_every_page(Options::default(), async |browser, _| {
        browser.prefer(scheme).await;
        audit::barriers(browser).await
    })
    .await;
}

#[test]
fn pages_ask_nobody_else_and_break_no_rule_of_their_own() {
    testkit::needs!(Chromium);
    run(async {
        let base = &Room::shared().await.base;
        let own = |address: &String| address.starts_with(&format!("{base}/")) || address.starts_with("data:");
        on_every_page(Options { remembers: true, ..Options::default() }, async |browser, page| {
            let requests = browser.requests().await;
            assert!(requests.iter().any(own), "{}: no request is remembered", page.path);
            let foreign =
                requests.into_iter().filter(|address| !own(address)).map(|address| format!("asks {address}"));
            let refused = format!("status of {}", page.status);
            // The console repeats the status of the page itself.
            let of_itself = |complaint: &String| page.status != 200 && complaint.contains(&refused);
            let complaints = browser.complaints().await.into_iter().filter(|complaint| !of_itself(complaint));
            foreign.chain(complaints).collect()
        })
        .await;
    });
}

#[test]
fn every_page_fits_a_phone_a_tablet_and_a_large_screen() {
    testkit::needs!(Chromium);
    run(async {
        for width in WIDTHS {
            on_every_page(Options::default(), async |browser, _| {
                browser.size(width, 900).await;
                audit::overflow(browser).await
            })
            .await;
        }
    });
}
