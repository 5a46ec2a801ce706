//! The shape of what is measured, and of the action items that are switched on one by one.

use std::collections::BTreeMap;

use serde_saphyr::Spanned;

use super::{List, Step, Text, Weakened};
use crate::shape::{Time, shape};

shape! {
    /// Something that is measured while a drill is proven.
    Measure {
        /// Its name.
        name: Text,
        /// PromQL that returns one number; its sum over the seconds of the run counts.
        query: Text,
    }
}

shape! {
    /// The drill with one action item switched on, and how much less bad it has to be.
    Variant {
        /// Its name.
        name: Text,
        /// The action item, for people.
        item: Text,
        /// Protections of `weakened` that stay on.
        kept: List<Weakened>,
        /// Rules go to one edge first, for at most this long, and that has to stop them.
        canary: Option<Spanned<Time>>,
        /// The cases of rules are tried before customers meet them, and that has to stop them.
        staged: Option<Spanned<bool>>,
        /// How long to look at least; as long as the drill if left out.
        observe: Option<Spanned<Time>>,
        /// What the responder does; the drill's solution if left out.
        solve: List<Step>,
        /// How many times as much the drill without the item has at least, by the name of the measure.
        less: BTreeMap<String, Spanned<u32>>,
    }
}
