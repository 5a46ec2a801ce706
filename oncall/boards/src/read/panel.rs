//! One panel: its kind, its queries, its field configuration.

use regex::Regex;
use serde_json::Value;

use super::{
    items, problem, rules,
    shape::{self, Rule},
    source, text, unknown,
};
use crate::{
    Panel, Problem,
    layout::COLUMNS,
    model::{
        Change, Colour, Field, Heatmap, Kind, Lines, Link, Matcher, Override, Paint, Place, Query, Set,
        Source, Stat, Step, Variable, Word,
    },
    range, scope,
    unit::Unit,
};

/// Lines of a log, if the panel does not say how many.
const LINES: u64 = 100;

/// The panel; nothing if it was refused.
pub(super) fn read(
    json: &Value,
    place: &str,
    variables: &[Variable],
    problems: &mut Vec<Problem>,
) -> Option<Panel> {
    let before = problems.len();
    let name = text(json, "type");
    let Some((_, options)) = rules::KINDS.iter().find(|(kind, _)| *kind == name) else {
        let known: Vec<&str> = rules::KINDS.iter().map(|(kind, _)| *kind).collect();
        problem(problems, place, format!("a panel `{name}` cannot be drawn; expected {}", known.join(", ")));
        return None;
    };
    let asking: &[Rule] = if name == "text" { &[] } else { rules::ASKING };
    shape::check(json, &[*options, asking, rules::PANEL], place, problems);
    let queries: Vec<Query> = items(&json["targets"]).map(query).collect();
    for query in &queries {
        unknown(&query.expr, variables, &format!("{place}: query {}", query.name), problems);
    }
    let field = field(&json["fieldConfig"]["defaults"]);
    links(&field.links, variables, place, problems);
    let overrides = overrides(&json["fieldConfig"]["overrides"], place, variables, problems);
    let panel = Panel {
        id: json["id"].as_u64().unwrap_or_default(),
        title: text(json, "title"),
        description: text(json, "description"),
        place: grid(&json["gridPos"]),
        kind: kind(&name, json),
        queries,
        field,
        overrides,
    };
    consistent(&panel, place, problems);
    (problems.len() == before).then_some(panel)
}

/// What each setting allows by itself, but not together with the others.
fn consistent(panel: &Panel, place: &str, problems: &mut Vec<Problem>) {
    let Place { x, w, h, .. } = panel.place;
    if w == 0 || h == 0 || x + w > COLUMNS {
        problem(problems, place, format!("gridPos: expected w and h from 1 and x + w up to {COLUMNS}"));
    }
    let units = panel.overrides.iter().flat_map(|each| &each.set).any(|set| matches!(set, Set::Unit(_)));
    if units && matches!(panel.kind, Kind::Lines(_)) {
        problem(
            problems,
            place,
            "an override of the unit needs a second axis, which cannot be drawn".to_owned(),
        );
    }
    let fits = |query: &Query| match panel.kind {
        Kind::Graph => query.source == Source::Jaeger,
        Kind::Logs => query.source == Source::Loki,
        Kind::Heatmap(_) => query.source == Source::Prometheus,
        _ => query.source != Source::Jaeger,
    };
    if let Some(query) = panel.queries.iter().find(|query| !fits(query)) {
        let source = query.source.id();
        problem(
            problems,
            place,
            format!("query {}: {source} does not answer what this panel draws", query.name),
        );
    }
    if let Kind::Table(changes) = &panel.kind {
        let hides = |change: &Change| matches!(change, Change::Organize { hidden, .. } if hidden.iter().any(|name| name == "Time"));
        if !changes.iter().any(hides) {
            problem(problems, place, "the column Time cannot be drawn; exclude it by `organize`".to_owned());
        }
    }
}

fn grid(json: &Value) -> Place {
    let number =
        |name: &str| json[name].as_u64().and_then(|number| u32::try_from(number).ok()).unwrap_or_default();
    Place { x: number("x"), y: number("y"), w: number("w"), h: number("h") }
}

fn kind(name: &str, json: &Value) -> Kind {
    let (options, custom) = (&json["options"], &json["fieldConfig"]["defaults"]["custom"]);
    let fill =
        custom["fillOpacity"].as_u64().and_then(|fill| u8::try_from(fill).ok()).unwrap_or_default().min(100);
    match name {
        "timeseries" => Kind::Lines(Lines {
            stacked: custom["stacking"]["mode"] == "normal",
            fill,
            limits: custom["thresholdsStyle"]["mode"] == "dashed",
            table: options["legend"]["displayMode"] == "table",
        }),
        "stat" => Kind::Stat(Stat {
            coloured: options["colorMode"] == "value",
            named: options["textMode"] == "value_and_name",
        }),
        "gauge" => Kind::Gauge,
        "table" => Kind::Table(items(&json["transformations"]).map(change).collect()),
        "heatmap" => Kind::Heatmap(Heatmap {
            unit: Unit::named(&text(&options["yAxis"], "unit")).unwrap_or(Unit::Plain),
            hidden: options["filterValues"]["le"].as_f64().unwrap_or_default(),
            exponent: options["color"]["exponent"].as_f64().unwrap_or(0.5),
        }),
        "state-timeline" => Kind::States { fill },
        "logs" => Kind::Logs,
        "nodeGraph" => Kind::Graph,
        _ => Kind::Text(text(options, "content")),
    }
}

fn change(json: &Value) -> Change {
    if json["id"] == "merge" {
        return Change::Merge;
    }
    let pairs = |name: &str| json["options"][name].as_object().into_iter().flatten();
    Change::Organize {
        hidden: pairs("excludeByName").map(|(name, _)| name.clone()).collect(),
        order: pairs("indexByName")
            .map(|(name, at)| (name.clone(), at.as_u64().unwrap_or(u64::MAX)))
            .collect(),
        names: pairs("renameByName")
            .map(|(name, to)| (name.clone(), to.as_str().unwrap_or_default().to_owned()))
            .collect(),
    }
}

fn query(json: &Value) -> Query {
    let lines = json["maxLines"].as_u64().unwrap_or(LINES).min(1000);
    Query {
        name: text(json, "refId"),
        source: json["datasource"]["type"].as_str().and_then(source).unwrap_or(Source::Prometheus),
        expr: text(json, "expr"),
        legend: text(json, "legendFormat"),
        instant: json["instant"] == true || json["queryType"] == "instant",
        exemplars: json["exemplar"] == true,
        every: json["interval"].as_str().and_then(range::length),
        lines: usize::try_from(lines).unwrap_or_default(),
    }
}

fn field(json: &Value) -> Field {
    let words = items(&json["mappings"]).filter_map(|mapping| mapping["options"].as_object()).flatten();
    let word = |(value, json): (&String, &Value)| {
        Some(Word { value: value.parse().ok()?, text: text(json, "text"), colour: colour(json, "color") })
    };
    Field {
        unit: Unit::named(&text(json, "unit")).unwrap_or(Unit::Plain),
        paint: paint(&json["color"]),
        steps: steps(&json["thresholds"]["steps"]),
        words: words.filter_map(word).collect(),
        min: json["min"].as_f64(),
        max: json["max"].as_f64(),
        links: items(&json["links"]).map(link).collect(),
        title: None,
        coloured: false,
    }
}

fn colour(json: &Value, name: &str) -> Option<Colour> {
    json[name].as_str().and_then(Colour::named)
}

fn paint(json: &Value) -> Paint {
    match json["mode"].as_str() {
        Some("fixed") => Paint::Fixed(colour(json, "fixedColor").unwrap_or(Colour::Blue)),
        Some("thresholds") => Paint::Steps,
        _ => Paint::Palette,
    }
}

/// The first step begins at minus infinity, whatever its value.
fn steps(json: &Value) -> Vec<Step> {
    let step = |(at, json): (usize, &Value)| Step {
        from: if at == 0 { f64::NEG_INFINITY } else { json["value"].as_f64().unwrap_or(f64::NEG_INFINITY) },
        colour: colour(json, "color").unwrap_or(Colour::Text),
    };
    items(json).enumerate().map(step).collect()
}

fn link(json: &Value) -> Link {
    Link { title: text(json, "title"), url: text(json, "url") }
}

fn links(links: &[Link], variables: &[Variable], place: &str, problems: &mut Vec<Problem>) {
    for link in links {
        for name in scope::mentioned(&link.url) {
            if !scope::known_in_link(&name, variables) {
                problem(
                    problems,
                    place,
                    format!("the link {:?} has an unknown variable `${{{name}}}`", link.title),
                );
            }
        }
    }
}

fn overrides(
    json: &Value,
    place: &str,
    variables: &[Variable],
    problems: &mut Vec<Problem>,
) -> Vec<Override> {
    let mut all = Vec::new();
    for (at, json) in items(json).enumerate() {
        let place = format!("{place}: fieldConfig.overrides[{at}]");
        let name = text(&json["matcher"], "options");
        let matcher = if json["matcher"]["id"] == "byName" {
            Matcher::Name(name)
        } else {
            match Regex::new(name.trim_matches('/')) {
                Ok(pattern) => Matcher::Pattern(pattern),
                Err(error) => {
                    problem(problems, &place, format!("{name:?} is not a regular expression: {error}"));
                    continue;
                }
            }
        };
        let set: Vec<Set> =
            items(&json["properties"]).filter_map(|json| set(json, &place, problems)).collect();
        for set in &set {
            if let Set::Links(all) = set {
                links(all, variables, &place, problems);
            }
        }
        all.push(Override { matcher, set });
    }
    all
}

fn set(json: &Value, place: &str, problems: &mut Vec<Problem>) -> Option<Set> {
    let (id, value) = (text(json, "id"), &json["value"]);
    let Some((_, rules)) = rules::OVERRIDES.iter().find(|(known, _)| *known == id) else {
        let known: Vec<&str> = rules::OVERRIDES.iter().map(|(known, _)| *known).collect();
        problem(
            problems,
            place,
            format!("the property `{id}` cannot be drawn; expected {}", known.join(", ")),
        );
        return None;
    };
    shape::check(value, &[*rules], &format!("{place}: {id}"), problems);
    Some(match id.as_str() {
        "color" => Set::Paint(paint(value)),
        "unit" => Set::Unit(value.as_str().and_then(Unit::named)?),
        "displayName" => Set::Title(value.as_str()?.to_owned()),
        "links" => Set::Links(items(value).map(link).collect()),
        "thresholds" => Set::Steps(steps(&value["steps"])),
        _ => Set::Coloured(value["type"] == "color-text"),
    })
}
