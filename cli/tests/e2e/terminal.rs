//! Pages, logs and responses that others wrote cannot control the reader's terminal.

use std::io::Write;

use crate::lab::{Lab, text};

/// Clears the screen, retitles the window, begins a forged line, and changes the text direction.
const EVIL: &str = "\u{1b}[2J\u{1b}]0;owned\u{7}\u{9b}31m\r\nFORGED line\u{202e}";

/// Asserts that `shown` has no control characters and no forged line.
fn harmless(what: &str, shown: &str) {
    let odd = |c: char| (c.is_control() && c != '\n') || ('\u{202a}'..='\u{202e}').contains(&c);
    assert_eq!(shown.chars().find(|c| odd(*c)), None, "{what}: {shown:?}");
    assert!(!shown.lines().any(|line| line.starts_with("FORGED")), "{what}: {shown}");
}

#[tokio::test]
async fn nothing_that_lab_prints_controls_the_terminal() {
    let Some(lab) = Lab::up(&["--no-load"]).await else { return };
    let page = serde_json::json!({
        "version": "4", "groupKey": EVIL, "status": "firing", "receiver": EVIL, "alerts": [{
            "status": "firing", "startsAt": "2026-11-21T10:00:00Z", "endsAt": "0001-01-01T00:00:00Z",
            "labels": { "alertname": EVIL, "severity": "page", "service": EVIL },
            "annotations": { "summary": EVIL, "description": EVIL, "runbook_url": EVIL, "dashboard_url": EVIL },
        }],
    });
    let url = format!("http://127.0.0.1:{}/hooks/alertmanager", lab.named_port("control-room"));
    let answer = reqwest::Client::new().post(url).json(&page).send().await.expect("the control room answers");
    assert!(answer.status().is_success(), "{answer:?}");
    let chat = serde_json::json!({ "text": EVIL });
    let url = format!("http://127.0.0.1:{}/hooks/slack", lab.named_port("control-room"));
    reqwest::Client::new().post(url).json(&chat).send().await.expect("the control room answers");
    // To Alertmanager, as a program of any user can do.
    let alert = serde_json::json!([{ "labels": { "alertname": EVIL, "service": EVIL } }]);
    let url = format!("http://127.0.0.1:{}/api/v2/alerts", lab.named_port("alertmanager"));
    reqwest::Client::new().post(url).json(&alert).send().await.expect("Alertmanager answers");

    // A service may log parts of a message or a request from a stranger.
    let mut log =
        std::fs::OpenOptions::new().append(true).open(lab.dir().join("log/order-worker.log")).expect("a log");
    let line = serde_json::json!({ "timestamp": "2026-11-21T10:00:00Z", "level": "WARN", "message": EVIL,
        "service": "order-worker", "key": EVIL, EVIL: EVIL, "nested": { "kafka.key": EVIL } });
    writeln!(log, "{line}\n{}", EVIL.replace('\n', " ")).expect("a line");

    // Users do not send themselves forged lines.
    let own = EVIL.replace('\n', "");
    let own = own.as_str();
    for args in [
        &["pages"][..],
        &["incident", "list"],
        &["incident", "list", "--json"],
        &["incident", "show", "INC-1"],
        &["incident", "timeline", "INC-1"],
        &["pages", "--json"],
        &["logs", "--service", "order-worker"],
        &["logs", "--service", "order-worker", "--json"],
        &["alerts"],
        &["alerts", "--json"],
        &["status"],
        &["status", "--json"],
        &["break", "order-api", EVIL],
        &["break", "order-api", "http-error", &format!("route={EVIL}")],
        &["break", own, "http-error"],
        &["fix", "order-api", EVIL],
        &["protections", "order-api", EVIL, "off"],
        &["traces", "--service", own],
        &["traces", "--service", own, "--json"],
        &["logs", "--service", own],
        &["faults", "order-api"],
        &["slo", "explain", own],
    ] {
        let output = lab.run(args);
        harmless(&format!("lab {args:?}"), &text(&output.stdout));
        harmless(&format!("lab {args:?}, standard error"), &text(&output.stderr));
    }
    let pages = lab.ok(&["pages"]);
    assert!(pages.contains(r"\u{1b}[2J"), "it is shown escaped: {pages}");
    assert_eq!(
        lab.json(&["pages", "--json"])[0]["annotations"]["summary"],
        EVIL,
        "a script gets it unchanged"
    );
}
