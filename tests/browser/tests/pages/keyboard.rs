//! Without a mouse: the skip link, the order of the focus, that it can be seen, and the most urgent button.

use browser::{Browser, Options, Room, run, with_browser};
use serde_json::{Value, json};

const TAB: &str = "\u{E004}";
pub(crate) const ENTER: &str = "\u{E007}";
/// More stops than a page has before its first button.
pub(crate) const STOPS: usize = 60;
/// More stops than any page has.
const ALL_STOPS: usize = 400;

/// What has the focus: its text, whether that can be seen, whether it comes after what had it before.
const FOCUS: &str = "
const one = document.activeElement, before = window.lastFocus, style = getComputedStyle(one), box = one.getBoundingClientRect();
window.lastFocus = one;
return {
  id: one.id,
  text: one.textContent.replace(/\\s+/g, ' ').trim(),
  ringed: (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0) || style.boxShadow !== 'none',
  inside: box.left >= 0 && box.top >= 0 && box.right <= innerWidth && box.bottom <= innerHeight && box.width > 0 && box.height > 0,
  next: !before?.isConnected || Boolean(before.compareDocumentPosition(one) & Node.DOCUMENT_POSITION_FOLLOWING),
};
";

/// Whether one of the elements that match has the focus.
const HAS_FOCUS: &str = "
const found = document.evaluate(arguments[0], document, null, XPathResult.ORDERED_NODE_SNAPSHOT_TYPE, null);
for (let at = 0; at < found.snapshotLength; at += 1) if (found.snapshotItem(at) === document.activeElement) return true;
return false;
";

#[test]
fn the_first_stop_skips_to_the_content() {
    testkit::needs!(Chromium);
    run(async {
        let room = Room::shared().await;
        with_browser(&room.base, Options::default(), async |browser| {
            browser.go("/incidents").await;
            let first = next(browser).await;
            assert_eq!(first["text"], "Skip to the content");
            browser.press(ENTER).await;
            let focus = browser.run(FOCUS, &[]).await;
            assert_eq!(focus["id"], "main", "{focus}");
            // From there on, and not from the navigation.
            next(browser).await;
            let inside = browser
                .run("return document.querySelector('main').contains(document.activeElement);", &[])
                .await;
            assert_eq!(inside, true);
        })
        .await;
    });
}

#[test]
fn an_incident_is_acknowledged_with_the_keyboard_alone() {
    testkit::needs!(Chromium);
    run(async {
        let room = Room::start().await;
        room.break_down().await;
        with_browser(&room.base, Options::default(), async |browser| {
            browser.go("/").await;
            browser.see("//button[normalize-space(.)='Acknowledge']").await;
            for stop in 0.. {
                assert!(stop < STOPS, "no way to the button by the keyboard");
                if next(browser).await["text"] == "Acknowledge" {
                    break;
                }
            }
            browser.press(ENTER).await;
            browser.see("//main//*[contains(., 'Acknowledged by')]").await;
        })
        .await;
    });
}

/// Goes one stop further, to something that can be seen to have the focus and comes later on the page.
pub(crate) async fn next(browser: &Browser) -> Value {
    browser.press(TAB).await;
    let focus = browser.run(FOCUS, &[]).await;
    for holds in ["ringed", "inside", "next"] {
        assert_eq!(focus[holds], true, "not {holds}: {focus}");
    }
    focus
}

/// Goes from stop to stop until an element that matches has the focus.
pub(crate) async fn reach(browser: &Browser, xpath: &str) {
    browser.see(xpath).await;
    for _ in 0..ALL_STOPS {
        browser.press(TAB).await;
        if browser.run(HAS_FOCUS, &[json!(xpath)]).await == true {
            return;
        }
    }
    panic!("no way to {xpath} by the keyboard, at {}", browser.place().await);
}
