//! Decides what a viewer may see. A trainee gets nothing of the truth while a run is in progress: no condition that
//! is waited for by its name, no failure, and of a mystery not even which drill it is.

use chrono::{DateTime, Utc};
use drill::{
    Ask, Drill, Outcome, Phase, Scorecard,
    engine::{Answers, Failure, Sighting, Waiting},
};

use super::{
    done::{acts, sealed_acts},
    live::{Live, verifies},
    rows::Kept,
    view::{
        AdviceView, AnswersView, BriefView, DeductionView, FailureView, FaultView, LapView, LineView,
        NoticeView, RunView, ScoreView, SightingView, TruthView,
    },
};

/// A run in progress, at a time of its own.
pub(super) fn live(live: &Live, now: DateTime<Utc>, instructor: bool) -> RunView {
    let run = &live.run;
    let known = instructor || !live.mystery;
    let record = run.record();
    let wall = |at: DateTime<Utc>| live.wall(at);
    let is = run.phase(now);
    let phase = if instructor { is } else { told(live, is) };
    RunView {
        id: live.id,
        drill: known.then(|| live.drill.id.clone()),
        brief: known.then(|| brief(&live.drill)),
        responder: live.responder.clone(),
        verify: live.verifies().map(|responder| responder.to_string()),
        phase: phase.to_string(),
        paused: live.is_paused(),
        seen: known && run.start().seen,
        started_at: run.start().at,
        time_box_ends: run.time_box_ends().map(wall),
        ended_at: None,
        waiting_for: if phase == is { waiting(&run.waiting(now), instructor) } else { Vec::new() },
        hints: run.hints().into_iter().map(str::to_owned).collect(),
        hints_left: live.drill.hints.len().saturating_sub(record.hints),
        answers: record.answers.as_ref().map(answers),
        acts: if instructor { acts(record) } else { sealed_acts(record) },
        verdict: None,
        failures: if instructor { failures(run.failures()) } else { Vec::new() },
        score: None,
        truth: instructor.then(|| truth(&live.drill, run.injected().map(wall), None)),
        burned: record.burned,
        learned: None,
    }
}

/// The phase of a run as trainees may know it: what a verification does, and when, is how the drill is solved.
pub(super) fn told(live: &Live, phase: Phase) -> Phase {
    match phase {
        Phase::Wrong(_) | Phase::Solve(_) | Phase::Recover if live.verifies().is_some() => Phase::Observe,
        phase => phase,
    }
}

/// A run that is over. `unsealed`: the viewer may know what was wrong.
pub(super) fn kept(kept: &Kept, drill: Option<&Drill>, unsealed: bool) -> RunView {
    let end = kept.end.as_ref();
    let outcome = end.and_then(|end| end.outcome.as_ref());
    let record = outcome.map(|outcome| &outcome.record);
    let hints = record.map_or(0, |record| record.hints);
    let known = drill.zip(outcome).filter(|_| unsealed);
    // Hints and answers of others are an answer, too.
    let told = record.filter(|_| unsealed);
    RunView {
        id: kept.id,
        drill: Some(kept.drill.clone()),
        brief: drill.map(brief),
        responder: kept.responder.clone(),
        verify: verifies(&kept.start.mode).map(|responder| responder.to_string()),
        phase: Phase::Finished.to_string(),
        paused: false,
        seen: kept.start.seen,
        started_at: kept.start.at,
        time_box_ends: None,
        ended_at: end.map(|end| end.at),
        waiting_for: Vec::new(),
        hints: drill.filter(|_| unsealed).map(|drill| taken(drill, hints)).unwrap_or_default(),
        hints_left: drill.map_or(0, |drill| drill.hints.len().saturating_sub(hints)),
        answers: told.and_then(|record| record.answers.as_ref()).map(answers),
        acts: told.map(acts).unwrap_or_default(),
        verdict: end.map(|end| end.verdict.clone()),
        failures: known.map(|(_, outcome)| failures(&outcome.failures)).unwrap_or_default(),
        score: known.and_then(|(drill, outcome)| Scorecard::of(drill, outcome)).map(score),
        truth: drill.filter(|_| unsealed).map(|drill| truth(drill, None, outcome)),
        burned: record.and_then(|record| record.burned),
        learned: kept.learned.clone().filter(|_| unsealed),
    }
}

/// What a trainee may know before.
pub(super) fn brief(drill: &Drill) -> BriefView {
    let brief = drill.brief();
    BriefView {
        id: brief.id,
        title: brief.title,
        difficulty: brief.difficulty.to_string(),
        time_box_seconds: brief.time_box_seconds,
        prerequisites: brief.prerequisites,
        briefing: brief.briefing,
        hints: brief.hints,
        mechanisms: brief.mechanisms,
        asks_change: brief.asks_change,
        asks_onset: brief.asks_onset,
        evidence: brief.evidence,
    }
}

/// What is waited for. The names and the queries of a drill tell what it is about, so trainees read what is
/// the same in all.
fn waiting(open: &[Waiting], instructor: bool) -> Vec<String> {
    let mut sentences: Vec<String> = Vec::new();
    for one in open {
        let sentence = if instructor {
            let not = if one.holds { "" } else { "not yet: " };
            format!("{not}{} (seen: {})", one.look.name, one.seen)
        } else {
            in_words(&one.look.ask).to_owned()
        };
        if !sentences.contains(&sentence) {
            sentences.push(sentence);
        }
    }
    sentences
}

const fn in_words(ask: &Ask) -> &'static str {
    match ask {
        Ask::Query { .. } => "the shop is well",
        Ask::NoAlert { .. } => "no alert fires",
        Ask::NoFault | Ask::Firewall { .. } => "what the last drill left is gone",
        Ask::NoneDrained => "no replica is drained",
        Ask::ProtectionsOn { .. } => "every protection is as it was",
        Ask::LoadAtBaseline { .. } => "the load is as it was",
        Ask::Invariant { .. } => "every order is settled",
    }
}

fn answers(answers: &Answers) -> AnswersView {
    AnswersView {
        components: answers.components.clone(),
        mechanism: answers.mechanism.clone(),
        change: answers.change.clone(),
        onset: answers.onset,
        evidence: answers.evidence.clone(),
    }
}

/// The hints that were taken.
fn taken(drill: &Drill, hints: usize) -> Vec<String> {
    drill.hints.iter().take(hints).map(|hint| hint.text.clone()).collect()
}

fn failures(all: &[Failure]) -> Vec<FailureView> {
    let view = |failure: &Failure| FailureView {
        at: failure.at,
        phase: failure.phase.to_string(),
        condition: failure.condition.clone(),
        query: failure.query.clone(),
        expected: failure.expected.clone(),
        seen: failure.seen.clone(),
    };
    all.iter().map(view).collect()
}

fn score(card: Scorecard) -> ScoreView {
    let line = |line: drill::score::Line| LineView {
        criterion: line.criterion.to_string(),
        weight: line.weight,
        share: line.share,
        value: line.value,
    };
    let deduction = |one: drill::score::Deduction| DeductionView { points: one.points, why: one.why };
    ScoreView {
        total: card.total,
        lines: card.lines.into_iter().map(line).collect(),
        deductions: card.deductions.into_iter().map(deduction).collect(),
    }
}

/// What is wrong; what was seen of it, once it is over.
fn truth(drill: &Drill, injected: Option<DateTime<Utc>>, outcome: Option<&Outcome>) -> TruthView {
    let advice = |act: &drill::Act, why: &str| AdviceView { act: act.to_string(), why: why.to_owned() };
    let of = &drill.mitigations;
    let asked = drill.questions.mechanism.as_ref().map(|choice| choice.answer.clone());
    TruthView {
        drill: drill.id.clone(),
        faults: faults(drill),
        components: drill.questions.components.clone(),
        mechanism: asked.unwrap_or_else(|| drill.tags.mechanism.clone()),
        change: drill.questions.change.clone(),
        injected_at: injected.or(outcome.and_then(|outcome| outcome.injected)),
        affected_at: outcome.and_then(|outcome| outcome.affected),
        mitigated_at: outcome.and_then(|outcome| outcome.mitigated),
        recovered_at: outcome.and_then(|outcome| outcome.recovered),
        signals: outcome.map(|outcome| sightings(&outcome.signals)).unwrap_or_default(),
        path: outcome.map(|outcome| sightings(&outcome.path)).unwrap_or_default(),
        notices: outcome.map(notices).unwrap_or_default(),
        laps: outcome.map(laps).unwrap_or_default(),
        helps: of.accepted.iter().map(|one| advice(&one.act, &one.why)).collect(),
        does_not_help: of.wrong.iter().map(|one| advice(&one.act, &one.why)).collect(),
        harms: of.harmful.iter().map(|one| advice(&one.act, &one.why)).collect(),
        debrief: drill.debrief.clone(),
    }
}

fn faults(drill: &Drill) -> Vec<FaultView> {
    let faults = drill.faults.iter().map(|fault| FaultView {
        service: fault.target(),
        fault: fault.fault.clone(),
        parameters: fault.parameters.iter().map(|(name, value)| format!("{name} {value}")).collect(),
        after_seconds: fault.after.as_secs(),
        change: fault.change.clone(),
        survives_restart: fault.survives_restart,
    });
    faults.collect()
}

fn sightings(all: &[Sighting]) -> Vec<SightingView> {
    let view = |one: &Sighting| SightingView {
        name: one.name.clone(),
        query: one.query.clone(),
        within: one.within,
        seen: one.seen,
    };
    all.iter().map(view).collect()
}

fn laps(outcome: &Outcome) -> Vec<LapView> {
    let laps = outcome.laps.iter().map(|lap| LapView { name: lap.name.clone(), seconds: lap.seconds });
    laps.collect()
}

fn notices(outcome: &Outcome) -> Vec<NoticeView> {
    let notices = outcome.notices.iter().map(|notice| NoticeView {
        at: notice.at,
        alert: notice.alert.clone(),
        service: notice.service.clone(),
        page: notice.page,
        firing: notice.firing,
    });
    notices.collect()
}
