//! What a panel asks, and what was answered.

use boards::{
    Board, Panel,
    data::telling,
    draw::{Answer, Drawing, Entry, Mark, points},
    logql,
    model::{Kind, Query, Source},
    scope::Scope,
};
use futures::future::try_join_all;
use tokio::time::{Instant, timeout_at};

use super::{
    common::Common,
    sources::{Sources, Trouble},
};
use crate::{eyes, room::Room};

/// Parts of the time axis of which exemplars are shown.
const DOTS: u32 = 24;
/// Lines that are read for a log panel: some are left out afterwards.
const READ: usize = 1000;

/// A board, and all that it takes to ask for its panels.
pub(super) struct Asking<'a> {
    pub(super) room: &'a Room,
    pub(super) board: &'a Board,
    pub(super) scope: &'a Scope,
    pub(super) sources: Sources,
    deadline: Instant,
}

/// The answers for one panel.
#[derive(Debug)]
pub(super) struct Asked {
    answer: Answer,
    step: f64,
    span: (f64, f64),
}

impl Asked {
    /// All that it takes to draw the panel.
    pub(super) fn drawing<'d>(
        &'d self,
        scope: &'d Scope,
        panel: &'d Panel,
        marks: &'d [Mark],
        json: Option<&'d str>,
    ) -> Drawing<'d> {
        Drawing { panel, scope, step: self.step, span: self.span, answer: &self.answer, marks, json }
    }
}

impl<'a> Asking<'a> {
    pub(super) fn new(
        room: &'a Room,
        common: &Common,
        board: &'a Board,
        scope: &'a Scope,
        deadline: Instant,
    ) -> Self {
        Self { room, board, scope, sources: Sources::of(room, common, deadline), deadline }
    }

    /// The answers to all queries of a panel.
    pub(super) async fn panel(&self, panel: &Panel) -> Result<Asked, Trouble> {
        let least = panel.queries.iter().filter_map(|query| query.every).fold(self.scope.scrape, f64::max);
        let step = self.scope.range.step(points(panel), least);
        let span = self.scope.range.aligned(step);
        let answer = match panel.kind {
            Kind::Text(_) => Answer::default(),
            Kind::Logs => Answer { lines: self.lines(panel).await?, ..Answer::default() },
            Kind::Graph => Answer { calls: self.sources.calls(span).await?, ..Answer::default() },
            _ => self.values(panel, step, span).await?,
        };
        Ok(Asked { answer, step, span })
    }

    async fn values(&self, panel: &Panel, step: f64, span: (f64, f64)) -> Result<Answer, Trouble> {
        let series = panel.queries.iter().enumerate().map(|(number, query)| async move {
            let expr = self.scope.expr(query, step);
            match query.source {
                Source::Loki => self.sources.counted((query, number), &expr, span, step).await,
                _ if query.instant => self.sources.instant((query, number), &expr, span.1).await,
                _ => self.sources.range((query, number), &expr, span, step).await,
            }
        });
        let dots = panel.queries.iter().filter(|query| query.exemplars).map(|query| async move {
            Ok::<_, Trouble>(self.sources.exemplars(&self.scope.expr(query, step), span).await)
        });
        let (series, dots) = tokio::try_join!(try_join_all(series), try_join_all(dots))?;
        let exemplars = telling(dots.into_iter().flatten().collect(), span, DOTS);
        Ok(Answer { series: series.into_iter().flatten().collect(), exemplars, ..Answer::default() })
    }

    /// Lines of all queries, newest first.
    async fn lines(&self, panel: &Panel) -> Result<Vec<Entry>, Trouble> {
        let mut entries = Vec::new();
        for query in &panel.queries {
            entries.extend(self.lines_of(query).await?);
        }
        entries.sort_by_key(|entry: &Entry| std::cmp::Reverse(entry.at));
        Ok(entries)
    }

    async fn lines_of(&self, query: &Query) -> Result<Vec<Entry>, Trouble> {
        let Some(wanted) = logql::wanted(&query.expr) else {
            return Err(Trouble {
                title: "This log query is not understood here.".to_owned(),
                detail: format!("Expected a choice of services, texts and levels, found {}", query.expr),
            });
        };
        let asked = eyes::Wanted {
            services: wanted.services.clone(),
            level: wanted.levels.iter().max_by_key(|level| severity(level)).cloned(),
            text: wanted.texts.first().cloned(),
            trace: wanted.trace.clone(),
            since: self.scope.range.from,
            limit: READ,
        };
        let lines = match timeout_at(self.deadline, self.room.eyes.logs.lines(&asked)).await {
            Ok(lines) => lines.map_err(|error| Trouble {
                title: "The logs cannot be read.".to_owned(),
                detail: error.to_string(),
            })?,
            Err(_) => {
                let detail = "The page did not wait any longer. Choose a shorter time range, or try again.";
                return Err(Trouble {
                    title: "The logs are too slow.".to_owned(),
                    detail: detail.to_owned(),
                });
            }
        };
        let fits = |line: &observe::logs::Line| {
            line.time <= self.scope.range.until
                && (wanted.levels.is_empty() || wanted.levels.iter().any(|level| level == line.level))
                && wanted.texts.iter().all(|text| line.text.contains(text.as_str()))
        };
        Ok(lines.iter().rev().filter(|line| fits(line)).take(query.lines).map(entry).collect())
    }
}

/// Higher for less severe levels.
fn severity(level: &str) -> usize {
    observe::logs::LEVELS.iter().position(|known| *known == level).unwrap_or(0)
}

/// A line as it is drawn.
pub(crate) fn entry(line: &observe::logs::Line) -> Entry {
    let text = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    Entry {
        at: line.time,
        part: line.part.clone(),
        level: line.level,
        message: line.message.clone(),
        fields: line.fields.iter().map(|(name, value)| (name.clone(), text(value))).collect(),
    }
}
