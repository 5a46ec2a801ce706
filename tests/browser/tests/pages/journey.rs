//! From the alert to the postmortem, as a person goes: with scripts, without any, and with the keyboard alone.

use browser::{Browser, Options, Room, run, with_browser};

use crate::keyboard::{ENTER, reach};

#[test]
fn an_incident_is_seen_taken_over_understood_ended_and_written_down() {
    testkit::needs!(Chromium);
    run(journey(Options::default(), Hands::Mouse));
}

#[test]
fn the_same_works_without_any_script() {
    testkit::needs!(Chromium);
    run(journey(Options { script: false, ..Options::default() }, Hands::Mouse));
}

#[test]
fn the_same_works_with_the_keyboard_alone() {
    testkit::needs!(Chromium);
    run(journey(Options::default(), Hands::Keys));
}

/// What a person uses.
#[derive(Clone, Copy)]
enum Hands {
    Mouse,
    /// Tab until something has the focus, then Enter or words.
    Keys,
}

async fn journey(options: Options, hands: Hands) {
    let room = Room::start().await;
    with_browser(&room.base, options, async |browser| {
        let person = Person { browser, script: options.script, hands };
        person.sees(&room).await;
        person.acknowledges().await;
        person.looks_at_evidence().await;
        person.acts(&room).await;
        person.ends_it().await;
        person.writes_it_down().await;
    })
    .await;
}

/// Somebody on call in front of the browser.
struct Person<'b> {
    browser: &'b Browser,
    script: bool,
    hands: Hands,
}

impl Person<'_> {
    async fn click(&self, xpath: &str) {
        match self.hands {
            Hands::Mouse => self.browser.click(xpath).await,
            Hands::Keys => {
                reach(self.browser, xpath).await;
                self.browser.press(ENTER).await;
            }
        }
    }

    async fn write(&self, xpath: &str, text: &str) {
        match self.hands {
            Hands::Mouse => self.browser.write(xpath, text).await,
            Hands::Keys => {
                reach(self.browser, xpath).await;
                self.browser.press(&text.replace('\n', ENTER)).await;
            }
        }
    }

    /// What comes by itself comes to an open page; without scripts to one that is loaded again.
    async fn waits_for(&self, xpath: &str) {
        if self.script {
            self.browser.see(xpath).await;
        } else {
            self.browser.see_after_reload(xpath).await;
        }
    }

    async fn sees(&self, room: &Room) {
        let browser = self.browser;
        browser.go("/").await;
        browser.see("//*[normalize-space(.)='No open incident.']").await;
        // A button that works by script alone is hidden until the script has run.
        let toggles = browser.shown("//button[@data-theme-toggle]").await;
        assert_eq!(toggles.is_ok(), self.script, "{toggles:?}");
        room.break_down().await;
        self.waits_for("//main//article[contains(., 'INC-1') and contains(., 'Nobody has acknowledged')]")
            .await;
    }

    async fn acknowledges(&self) {
        self.click("//main//article[contains(., 'INC-1')]//button[normalize-space(.)='Acknowledge']").await;
        self.browser.see("//main//*[contains(., 'Acknowledged by')]").await;
        assert!(self.browser.place().await.starts_with("/incidents/INC-1"), "{}", self.browser.place().await);
    }

    /// What the control room has found by itself leads to the query that shows it.
    async fn looks_at_evidence(&self) {
        let again = "//section[.//h2[normalize-space(.)='Diagnosis']]//a[normalize-space(.)='Ask again' and contains(@href, '/explore?')]";
        self.waits_for(again).await;
        self.click(again).await;
        self.browser.see("//main//textarea[string-length(.) > 0]").await;
        self.browser.see("//main//*[local-name()='svg' or local-name()='canvas']").await;
        self.browser.see("//main//table//td").await;
    }

    /// A protection is off, which makes it worse; to switch it on is a mitigation that everybody may choose.
    async fn acts(&self, room: &Room) {
        let browser = self.browser;
        self.click("//nav//a[normalize-space(.)='Alerts and SLOs']").await;
        let protections = "//main//a[normalize-space(.)='Switch them on']";
        self.waits_for(protections).await;
        self.click(protections).await;
        assert!(!room.shop.is_protected());
        self.click("//button[normalize-space(.)='Switch on circuit-breaker of order-api']").await;
        browser.see("//button[normalize-space(.)='Switch off circuit-breaker of order-api']").await;
        assert!(room.shop.is_protected());
        browser.go("/incidents/INC-1").await;
        self.waits_for("//*[@id='timeline']//li[contains(., 'circuit-breaker')]").await;
    }

    async fn ends_it(&self) {
        for (word, why, state) in [
            ("Mitigate", "The circuit breaker of order-api is on again.", "mitigated"),
            ("Resolve", "Orders are accepted for some minutes.", "resolved"),
        ] {
            let form = format!("//details[summary[normalize-space(.)='{word}']]");
            self.click(&format!("{form}/summary")).await;
            self.write(&format!("{form}//textarea"), why).await;
            self.click(&format!("{form}//button[normalize-space(.)='{word}']")).await;
            self.browser.see(&format!("//main//header//*[normalize-space(text())='{state}']")).await;
            self.waits_for(&format!("//*[@id='timeline']//li[contains(., '{why}')]")).await;
        }
    }

    async fn writes_it_down(&self) {
        let browser = self.browser;
        let postmortem = "//main//a[normalize-space(.)='Postmortem']";
        self.waits_for(postmortem).await;
        self.click(postmortem).await;
        for section in ["Impact", "Timeline", "Action items"] {
            browser.see(&format!("//article//*[self::h2 or self::h3][contains(., '{section}')]")).await;
        }
        browser.see("//article//*[contains(., 'circuit-breaker')]").await;
        self.click("//main//a[normalize-space(.)='Edit']").await;
        self.write("//main//textarea", "\n\nWe were lucky: it was a quiet hour.\n").await;
        self.click("//main//button[normalize-space(.)='Save']").await;
        browser.see("//article//p[contains(., 'it was a quiet hour')]").await;
        browser.see("//section//a[normalize-space(.)='Version 2']").await;
    }
}
