//! Values move; what is around them does not.

use browser::{Options, Room, audit, run, with_browser};

/// How much may shift during the refreshes: a hundredth of what counts as good (<https://web.dev/articles/cls>).
const LEAST: f64 = 0.001;
/// Most pages refresh themselves every two seconds.
const REFRESHES: u32 = 3;

#[test]
fn nothing_shifts_while_values_move() {
    testkit::needs!(Chromium);
    run(async {
        let room = Room::shared().await;
        with_browser(&room.base, Options::default(), async |browser| {
            for path in ["/", "/incidents", "/incidents/INC-2", "/alerts", "/d/overview?refresh=1s"] {
                browser.go(path).await;
                audit::drawn(browser).await;
                let shifts = audit::shifts(browser, REFRESHES).await;
                assert_eq!(shifts["changed"], true, "{path}: nothing has moved, so nothing is proved");
                assert!(shifts["sum"].as_f64().unwrap() <= LEAST, "{path}: {shifts:#}");
            }
        })
        .await;
    });
}
