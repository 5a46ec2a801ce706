//! A drill from its list to its end: with scripts, without any, and with the keyboard alone.

use browser::{Browser, Options, Room, run, with_browser};

use crate::keyboard::{ENTER, STOPS, next};

const DRILL: &str = "Your first page";

#[test]
fn a_drill_is_found_begun_and_aborted() {
    testkit::needs!(Chromium);
    run(journey(Options::default()));
}

#[test]
fn a_drill_is_found_begun_and_aborted_without_any_script() {
    testkit::needs!(Chromium);
    run(journey(Options { script: false, ..Options::default() }));
}

async fn journey(options: Options) {
    let room = Room::start().await;
    with_browser(&room.base, options, async |browser| {
        browser.go("/").await;
        browser.click("//nav//a[normalize-space(.)='Drills']").await;
        browser.click(&format!("//main//table//a[normalize-space(.)='{DRILL}']")).await;
        browser.see("//main//*[contains(., 'You have not taken it yet.')]").await;
        browser.click("//main//button[normalize-space(.)='Begin']").await;
        browser.see(&format!("//main//h1[normalize-space(.)='{DRILL}']")).await;
        assert!(browser.place().await.starts_with("/drills/runs/"), "{}", browser.place().await);
        is_in_the_strip_of_other_pages(browser).await;
        // What cannot be taken back is asked for twice: the form is behind a word.
        let abort = "//main//details[summary[normalize-space(.)='Abort']]";
        assert!(browser.shown(&format!("{abort}//button")).await.is_err());
        browser.click(&format!("{abort}/summary")).await;
        browser.write(&format!("{abort}//textarea"), "only a test").await;
        browser.click(&format!("{abort}//button")).await;
        browser.see_after_reload("//main[not(.//summary[normalize-space(.)='Abort'])]//h1").await;
    })
    .await;
}

async fn is_in_the_strip_of_other_pages(browser: &Browser) {
    let run = browser.place().await;
    browser.go("/incidents").await;
    browser.see(&format!("//*[@id='strip']//a[normalize-space(.)='{DRILL}']")).await;
    browser.click(&format!("//*[@id='strip']//a[@href='{run}']")).await;
    browser.see("//main//h2[normalize-space(.)='Briefing']").await;
}

#[test]
fn a_drill_is_begun_with_the_keyboard_alone() {
    testkit::needs!(Chromium);
    run(async {
        let room = Room::start().await;
        with_browser(&room.base, Options::default(), async |browser| {
            browser.go("/drills/first-page").await;
            browser.see("//main//button[normalize-space(.)='Begin']").await;
            for stop in 0.. {
                assert!(stop < STOPS, "no way to the button by the keyboard");
                if next(browser).await["text"] == "Begin" {
                    break;
                }
            }
            browser.press(ENTER).await;
            browser.see("//main//h2[normalize-space(.)='Briefing']").await;
        })
        .await;
    });
}

#[test]
fn a_game_day_is_planned_with_a_form_that_works_without_any_script() {
    testkit::needs!(Chromium);
    run(async {
        let room = Room::start().await;
        let options = Options { script: false, ..Options::default() };
        with_browser(&room.base, options, async |browser| {
            browser.go("/gameday").await;
            browser.write("//main//input[@name='drills']", "first-page, noon").await;
            browser.click("//main//button[normalize-space(.)='Make the plan']").await;
            browser.see("//main//h2[normalize-space(.)='Report']").await;
            browser.see("//main//table//a[normalize-space(.)='The shop stops at noon']").await;
            browser.click("//main//table//button[contains(., 'Begin')]").await;
            browser.see(&format!("//main//h1[normalize-space(.)='{DRILL}']")).await;
        })
        .await;
    });
}
