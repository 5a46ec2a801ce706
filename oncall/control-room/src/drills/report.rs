//! The report of a run that is over: for people as Markdown and as a page of its own, for machines as `JUnit`
//! XML and JSON.

use drill::{
    Drill, Outcome, Scorecard,
    report::{junit, markdown},
};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd, html::push_html};
use serde::Deserialize;

use super::{
    Drills,
    curve::Sketch,
    rows::{self, Kept},
    view::RunView,
};
use crate::{
    access::Visitor,
    error::{Error, Result},
};

/// Longest text of what was learned, in characters.
const LONGEST: usize = 20_000;

/// How a report is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, strum::Display, strum::EnumString)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Format {
    /// For people and their repositories.
    #[default]
    Markdown,
    /// A page of its own, without scripts and without anything from elsewhere.
    Html,
    /// `JUnit` XML: a case for each condition.
    Junit,
    /// As the API shows the run.
    Json,
}

impl Format {
    /// Its media type.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Markdown => "text/markdown; charset=utf-8",
            Self::Html => "text/html; charset=utf-8",
            Self::Junit => "application/xml; charset=utf-8",
            Self::Json => "application/json",
        }
    }
}

impl Drills {
    /// The report of a run. The truth is in it, so it exists only once nobody can be helped by it.
    ///
    /// # Errors
    /// When there is no such run, it has not ended, its truth is sealed for this viewer, or its reset was given up.
    pub async fn report(&self, by: &Visitor, id: i64, format: Format) -> Result<String> {
        if self.live().is_some_and(|live| live.id == id) {
            return Err(Error::Conflict(format!("run {id} is under way: its report comes at its end")));
        }
        let kept = self.kept(id).await?;
        if !self.is_unsealed(&kept, by) {
            return Err(Error::ForInstructors(format!(
                "the report of run {id} is sealed: reports of verifications are for instructors, \
                 and nobody reads one while a drill is under way"
            )));
        }
        if format == Format::Json {
            return Ok(serde_json::to_string_pretty(&self.show(&kept, by))?);
        }
        let drill = self.0.library.read(&kept.drill, &kept.file)?;
        let end = kept.end.as_ref();
        let Some(outcome) = end.and_then(|end| end.outcome.as_ref()) else {
            return Err(Error::Conflict(format!("run {id} was given up: nothing is known of its end")));
        };
        let curve = end.and_then(|end| end.curve.as_ref());
        let learned = kept.learned.as_deref().unwrap_or_default();
        Ok(match format {
            Format::Junit => junit::junit(std::slice::from_ref(outcome)),
            Format::Html => {
                let text = text(&drill, outcome, None, learned);
                page(&drill.title, &kept, &text, curve).into_string()
            }
            Format::Markdown | Format::Json => text(&drill, outcome, curve, learned),
        })
    }

    /// Keeps what a responder learned in a run that is over, as the last part of its report. A later text
    /// replaces an earlier one.
    ///
    /// # Errors
    /// When there is no such run, it has not ended, it was somebody else's, or the text is too long.
    pub async fn learned(&self, by: &Visitor, id: i64, text: &str) -> Result<RunView> {
        if self.live().is_some_and(|live| live.id == id) {
            return Err(Error::Conflict(format!(
                "run {id} is under way: say what you learned when it is over"
            )));
        }
        let kept = self.kept(id).await?;
        if kept.responder != by.name && !by.is_instructor() {
            let responder = &kept.responder;
            return Err(Error::ForInstructors(format!("only {responder} can say what {responder} learned")));
        }
        let length = text.chars().count();
        if length > LONGEST || text.contains('\0') {
            let expected = format!("expected at most {LONGEST} characters, found {length}");
            return Err(Error::field("text", expected));
        }
        let mut writing = self.0.store.begin().await?;
        rows::learned(&mut writing, id, text).await?;
        writing.commit(&self.0.bus).await?;
        self.run(by, id).await
    }
}

/// A scorecard, or what a verification found. Its last part is what the responder learned.
fn text(drill: &Drill, outcome: &Outcome, curve: Option<&Sketch>, learned: &str) -> String {
    let Some(card) = Scorecard::of(drill, outcome) else { return markdown::verification(drill, outcome) };
    let page = markdown::scorecard(drill, outcome, &card);
    let page = if learned.is_empty() { page } else { format!("{page}{}\n", learned.trim_end()) };
    match (curve, page.split_once("\n## Timeline\n")) {
        (Some(curve), Some((before, after))) => {
            format!("{before}\n## What users felt\n\n{}\n## Timeline\n{after}", curve.bars())
        }
        _ => page,
    }
}

/// A page that can be kept and sent: all of it is in it.
fn page(title: &str, kept: &Kept, text: &str, curve: Option<&Sketch>) -> Markup {
    let picture = curve.map(Sketch::svg).unwrap_or_default();
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) " · run " (kept.id) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                main {
                    (PreEscaped(rendered(text)))
                    @if !picture.is_empty() {
                        h2 { "What users felt" }
                        (PreEscaped(picture))
                    }
                }
            }
        }
    }
}

const STYLE: &str = ":root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;margin:0}\
                     main{max-width:60rem;margin:2rem auto;padding:0 1rem}\
                     table{border-collapse:collapse;width:100%}\
                     th,td{border:1px solid #8885;padding:.3rem .6rem;text-align:left;vertical-align:top}\
                     code{overflow-wrap:anywhere}svg{width:100%;height:auto}";

/// HTML of Markdown. What looks like HTML in it is text, and there are neither links nor pictures.
fn rendered(text: &str) -> String {
    let safe = |event| match event {
        Event::Html(text) | Event::InlineHtml(text) => Some(Event::Text(text)),
        Event::Start(Tag::HtmlBlock | Tag::Link { .. } | Tag::Image { .. })
        | Event::End(TagEnd::HtmlBlock | TagEnd::Link | TagEnd::Image) => None,
        event => Some(event),
    };
    let mut rendered = String::with_capacity(text.len() * 3 / 2);
    push_html(&mut rendered, Parser::new_ext(text, Options::ENABLE_TABLES).filter_map(safe));
    rendered
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_nothing_that_a_browser_would_run_or_fetch() {
        let text = "# A\n\n<script>x()</script>\n\n[l](https://a.example) ![p](https://a.example)\n";
        let shown = rendered(text);
        assert!(!shown.contains("<script") && !shown.contains("<a ") && !shown.contains("<img"), "{shown}");
        assert!(shown.contains("<h1>A</h1>") && shown.contains("&lt;script&gt;"), "{shown}");
    }

    #[test]
    fn formats_have_names_and_media_types() {
        assert_eq!("junit".parse::<Format>(), Ok(Format::Junit));
        assert!("pdf".parse::<Format>().is_err());
        assert_eq!(Format::default().media_type(), "text/markdown; charset=utf-8");
    }
}
