//! The shape of `drills/<name>.yaml`, field by field; every value knows its line.

mod response;
mod variant;

use std::collections::BTreeMap;

pub(crate) use response::{
    Accepted, Act, Choice, Firewall, Hint, Limit, Mitigations, Oracle, Protect, Questions, Rule, Step,
    Validity, Weights, Wrong,
};
use serde_saphyr::Spanned;
pub(crate) use variant::{Measure, Variant};

use crate::{
    names::{ChangeKind, Difficulty, Layer, Need, Trait},
    shape::{Scalar, Time, Word, shape},
};

pub(crate) type Text = Spanned<String>;
pub(crate) type Texts = Option<Vec<Text>>;
pub(crate) type List<T> = Option<Vec<Spanned<T>>>;

shape! {
    /// A drill: what is broken, what will be seen of it and when, and what a good response is.
    Document {
        /// Unique name, the same as that of the file; it must not give the cause away.
        id: Text,
        /// Title for people; it must not give the cause away either.
        title: Text,
        /// How hard it is.
        difficulty: Spanned<Word<Difficulty>>,
        /// How long a person has, at most 50m.
        time_box: Spanned<Time>,
        /// Drills to do before this one.
        prerequisites: Texts,
        /// What it is about.
        tags: Spanned<Tags>,
        /// What it needs beside the lab.
        needs: List<Word<Need>>,
        /// How many replicas of which services it needs: no fewer, and no more.
        replicas: Option<BTreeMap<String, Spanned<u32>>>,
        /// Replays the same decisions of the faults.
        seed: Spanned<u64>,
        /// What the person on call is told.
        briefing: Text,
        /// Runbooks that help, by the name of their alert.
        runbooks: Texts,
        /// What callers do.
        load: Spanned<Load>,
        /// What happens beside it and harms nobody.
        noise: List<Noise>,
        /// Changes that belong to the story.
        changes: List<Change>,
        /// Protections that are off during the drill.
        weakened: List<Weakened>,
        /// What is broken.
        faults: List<Fault>,
        /// When it may begin.
        baseline: Option<Spanned<Baseline>>,
        /// How long to look at least, even if everything was seen earlier.
        observe: Option<Spanned<Time>>,
        /// What must be seen.
        signals: List<Signal>,
        /// Who must be paged, and who must not.
        pages: Spanned<Pages>,
        /// From the cause to the users, in the order of onset.
        causal_path: List<Node>,
        /// What the responder is asked.
        questions: Spanned<Questions>,
        /// What helps, what does not, and what harms.
        mitigations: Spanned<Mitigations>,
        /// When it is over.
        oracle: Spanned<Oracle>,
        /// When it must be stopped.
        abort: List<Check>,
        /// Help, in the order in which it is given.
        hints: List<Hint>,
        /// How much each criterion counts; what is left out has its default.
        weights: Option<Spanned<Weights>>,
        /// How the validity suite must end.
        validity: Spanned<Validity>,
        /// How to solve it.
        solve: List<Step>,
        /// What is measured while it is proven.
        measures: List<Measure>,
        /// The drill with one action item of its postmortem each, which is proven, too.
        variants: List<Variant>,
        /// What was wrong and what to learn from it.
        debrief: Text,
    }
}

shape! {
    /// What a drill is about.
    Tags {
        /// Where the cause is.
        layers: Vec<Spanned<Word<Layer>>>,
        /// What fails, as a name such as pool-exhaustion.
        mechanism: Text,
        /// What is special.
        traits: List<Word<Trait>>,
    }
}

shape! {
    /// What callers do.
    Load {
        /// Name of the mix: shop, browse or orders.
        scenario: Text,
        /// Requests per second at the baseline.
        rps: Spanned<u32>,
        /// Times with more or fewer.
        surges: List<Surge>,
    }
}

shape! {
    /// A time with another load.
    Surge {
        /// Its name in this drill, for what ends it.
        name: Option<Text>,
        /// After the baseline.
        after: Spanned<Time>,
        /// Requests per second.
        rps: Spanned<u32>,
        /// How long.
        lasts: Spanned<Time>,
        /// From one beginning to the next, if it comes again.
        every: Option<Spanned<Time>>,
        /// How many times it comes, together with every.
        times: Option<Spanned<u32>>,
    }
}

shape! {
    /// Something harmless that a trainee sees.
    Noise {
        /// After the baseline.
        after: Spanned<Time>,
        /// The kind of a change; left out for a message.
        change: Option<Spanned<Word<ChangeKind>>>,
        /// The name of the change, in the style of those that do harm; left out for a message.
        name: Option<Text>,
        /// The service that it is about.
        service: Option<Text>,
        /// What is seen.
        text: Text,
    }
}

shape! {
    /// A change that belongs to the story.
    Change {
        /// Name, for answers and for taking it back.
        name: Text,
        /// After the baseline.
        after: Spanned<Time>,
        /// What kind.
        kind: Spanned<Word<ChangeKind>>,
        /// Where.
        service: Text,
        /// What is seen in the list of changes.
        text: Text,
    }
}

shape! {
    /// A protection that is off.
    Weakened {
        /// The service.
        service: Text,
        /// The only replica without it, counted from 1; all of them if left out.
        replica: Option<Spanned<u32>>,
        /// The protection.
        protection: Text,
    }
}

shape! {
    /// A fault: a fault point, a rule of the firewall, a part that is stopped, or a script of the switchboard.
    Fault {
        /// Its name in this drill; if left out, the name of the fault point, the rule, the part or the script.
        name: Option<Text>,
        /// The service, or the part.
        service: Text,
        /// The only replica that has it, counted from 1; all of them if left out.
        replica: Option<Spanned<u32>>,
        /// The fault point.
        fault: Option<Text>,
        /// In its place: a rule of waf/incidents that is pushed to the edge.
        rule: Option<Text>,
        /// In its place, true: the part is killed, and stays stopped until a response starts it.
        stopped: Option<bool>,
        /// In its place: a script of the switchboard, of statements in PostgreSQL, of commands of `lab`, or that moves a file.
        sql: Option<Text>,
        /// Its parameters, without ttl and seed.
        with: Option<BTreeMap<String, Spanned<Scalar>>>,
        /// After the baseline; at once if left out.
        after: Option<Spanned<Time>>,
        /// How long it is there; until a response ends it if left out.
        lasts: Option<Spanned<Time>>,
        /// The change that caused it.
        change: Option<Text>,
        /// Whether the cause is still there after a restart of the service.
        survives_restart: Option<bool>,
    }
}

impl Fault {
    /// Whether it is a part that is stopped.
    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.unwrap_or(false)
    }

    /// What it is called in this drill; none if nothing says that.
    pub(crate) fn called(&self) -> Option<&Text> {
        let part = self.is_stopped().then_some(&self.service);
        let pushed = self.rule.as_ref().or(self.sql.as_ref());
        self.name.as_ref().or(self.fault.as_ref()).or(pushed).or(part)
    }
}

shape! {
    /// When a drill may begin.
    Baseline {
        /// How long everything has to be healthy; 15s if left out.
        holds: Option<Spanned<Time>>,
        /// How long to wait for that; 3m if left out.
        within: Option<Spanned<Time>>,
        /// What must hold beside what every drill requires.
        checks: List<Check>,
    }
}

shape! {
    /// A condition: it holds if the query returns at least one sample.
    Check {
        /// For people.
        name: Text,
        /// PromQL.
        query: Text,
    }
}

shape! {
    /// Something that must be seen.
    Signal {
        /// For people.
        name: Text,
        /// PromQL that returns something as soon as it is seen.
        query: Text,
        /// After the injection.
        within: Spanned<Time>,
    }
}

shape! {
    /// Who must be paged, and who must not.
    Pages {
        /// Pages that must come.
        expected: List<Page>,
        /// Pages that may come; any other is a failure.
        allowed: Texts,
        /// Alerts that must not notify anybody, tickets included.
        forbidden: Texts,
    }
}

shape! {
    /// A page.
    Page {
        /// The alert.
        alert: Text,
        /// The service that it names.
        service: Text,
        /// After the injection.
        within: Spanned<Time>,
    }
}

shape! {
    /// A node of the causal path.
    Node {
        /// Its name in this drill.
        name: Text,
        /// The service, or the store.
        service: Text,
        /// The metric that deviates.
        metric: Text,
        /// PromQL that returns something while it deviates, and nothing at the baseline.
        query: Text,
        /// After the injection.
        within: Spanned<Time>,
        /// The node that causes it; left out for a cause.
        from: Option<Text>,
    }
}
