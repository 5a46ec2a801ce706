//! Reports: complete, and safe against what is in their texts.

use drill::{
    Act, Phase, Scorecard, What,
    engine::Responder,
    report::{junit::junit, markdown},
};

use crate::{
    example::example,
    lab::{Lab, person, verify},
};

#[test]
fn a_verification_is_a_suite_with_a_case_for_each_condition() {
    let passed = Lab::new(example(), verify(Responder::Solution)).finish();
    let mut blind = Lab::new(example(), verify(Responder::Solution));
    blind.blind = true;
    let failed = blind.finish();
    let xml = junit(&[passed, failed]);
    assert_eq!(xml.matches("<testsuite ").count(), 2);
    assert!(xml.contains("<testsuite name=\"example\" tests=\"5\" failures=\"0\""), "{xml}");
    assert!(xml.contains("<testcase classname=\"drill.example\" name=\"errors\""), "{xml}");
    assert!(xml.contains("message=\"expected: within 10 s of the injection; seen: nothing\""), "{xml}");
    assert!(xml.contains("query: errors &gt; 0"), "{xml}");
    assert_eq!(xml.matches("<failure").count(), xml.matches("</failure>").count());
}

#[test]
fn a_text_cannot_break_a_report() {
    let mut drill = example();
    drill.title = "A <b>|`bold`|</b>\ntitle".to_owned();
    drill.signals[0].name = "a \"quoted\" & <tagged> \u{1b}[31mname".to_owned();
    let mut lab = Lab::new(drill.clone(), verify(Responder::Nothing));
    lab.blind = true;
    let outcome = lab.finish();
    let xml = junit(std::slice::from_ref(&outcome));
    assert!(xml.contains("a &quot;quoted&quot; &amp; &lt;tagged&gt; \u{fffd}[31mname"), "{xml}");
    assert!(!xml.contains('\u{1b}'));
    let page = markdown::verification(&drill, &outcome);
    assert!(page.starts_with("# A \\<b\\>\\|\\`bold\\`\\|\\</b\\> title: failed\n"), "{page}");
    assert!(page.contains("## Not met") && !page.contains('\u{1b}'), "{page}");
}

#[test]
fn a_table_has_a_row_for_each_run() {
    let outcomes: Vec<_> = [Responder::Solution, Responder::Nothing]
        .into_iter()
        .map(|responder| Lab::new(example(), verify(responder)).finish())
        .collect();
    let table = markdown::table(&outcomes);
    assert_eq!(table.lines().count(), 4);
    assert!(table.contains("| example | passed | 7 | 3.0 s | "), "{table}");
    assert!(table.contains("| example | failed | 7 | 3.0 s | - | "), "{table}");
}

#[test]
fn a_scorecard_tells_the_story_and_the_truth() {
    let mut lab = Lab::new(example(), person());
    lab.until(Phase::Observe);
    lab.ticks(10);
    lab.event(What::Acknowledged);
    lab.act(Act::Rollback { change: "release-2".to_owned() });
    lab.act(Act::Restart { service: "order-worker".to_owned() });
    lab.ticks(5);
    lab.event(What::Submitted);
    let outcome = lab.finish();
    let drill = example();
    let card = Scorecard::of(&drill, &outcome).expect("a score");
    let page = markdown::scorecard(&drill, &outcome, &card);
    for text in [
        "of 100",
        "| detect |",
        "roll back release-2",
        "acknowledged",
        "`http-error` in order-api",
        "It was the release.",
        "## What I learned",
    ] {
        assert!(page.contains(text), "{text} in\n{page}");
    }
    assert!(!page.contains("earlier run"), "{page}");
    let known = drill::Outcome { seen: true, ..outcome };
    let card = Scorecard::of(&drill, &known).expect("a score");
    let page = markdown::scorecard(&drill, &known, &card);
    assert!(page.contains("The solution was known from an earlier run."), "{page}");
    assert_eq!(Scorecard::of(&drill, &Lab::new(drill.clone(), verify(Responder::Nothing)).finish()), None);
}
