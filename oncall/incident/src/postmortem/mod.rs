//! The draft of a postmortem as Markdown: everything that is known already is filled in, and every question that only
//! people can answer is asked. Blameless: it names what happened and what made it likely, not who was at fault, and
//! looks for contributing factors, not for one root cause.

mod curve;
mod markdown;
mod sections;

use chrono::{DateTime, Utc};
pub use curve::{Curve, Point};

use crate::{Incident, Measures, Viewer};

/// What the draft needs beyond the incident.
#[derive(Debug, Clone)]
pub struct Draft<'a> {
    /// Who will read it: a trainee's draft has nothing that is sealed.
    pub viewer: Viewer,
    /// The service level indicator around the incident.
    pub curve: Option<&'a Curve>,
    /// Path of the SVG that `curve` was written to, relative to the draft.
    pub picture: Option<&'a str>,
    /// When it is drafted.
    pub now: DateTime<Utc>,
}

/// The draft.
#[must_use]
pub fn draft(incident: &Incident, draft: &Draft<'_>) -> String {
    // What everybody knows is in it, with the times that follow from it, even if the incident is not closed yet.
    let viewer = if incident.is_told() { Viewer::Instructor } else { draft.viewer };
    let measures = Measures::of(incident, viewer);
    let sections = [
        sections::head(incident, draft.now),
        sections::summary(incident, &measures),
        sections::impact(incident),
        sections::detection(incident, &measures),
        sections::timeline(incident, draft.viewer),
        sections::indicator(draft),
        sections::factors(incident, viewer),
        sections::lessons(incident, &measures),
        sections::action_items(incident),
    ];
    sections.join("\n")
}
