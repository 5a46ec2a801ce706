//! Log queries of boards and their links, as far as they can be answered without Loki: which services, which levels, which
//! texts.

/// Lines that are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Of these services; of all if none is named.
    pub services: Vec<String>,
    /// Of these levels; of all if none is named.
    pub levels: Vec<String>,
    /// With all of these texts.
    pub texts: Vec<String>,
    /// Of this trace.
    pub trace: Option<String>,
}

/// Reads `{service="a"} |= "text" | json | level=~"WARN|ERROR"`; nothing if the query asks for more than [`Wanted`] can
/// say, or counts lines.
#[must_use]
pub fn wanted(query: &str) -> Option<Wanted> {
    let mut wanted = Wanted::default();
    let mut rest = query.trim().strip_prefix('{')?;
    loop {
        let (label, operator, value, after) = matcher(rest)?;
        wanted.add(label, operator, &value)?;
        rest = after.trim_start();
        match rest.strip_prefix(',') {
            Some(after) => rest = after,
            None => break,
        }
    }
    rest = rest.strip_prefix('}')?.trim_start();
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix("|=") {
            let (text, after) = quoted(after.trim_start())?;
            wanted.texts.push(text);
            rest = after.trim_start();
            continue;
        }
        let stage = rest.strip_prefix('|')?.trim_start();
        rest = match stage.strip_prefix("json") {
            Some(after) => after.trim_start(),
            None => {
                let (label, operator, value, after) = matcher(stage)?;
                wanted.add(label, operator, &value)?;
                after.trim_start()
            }
        };
    }
    Some(wanted)
}

impl Wanted {
    fn add(&mut self, label: &str, operator: &str, value: &str) -> Option<()> {
        // Everything, or a choice of names: other regular expressions are not understood.
        let everything = operator == "=~" && matches!(value, ".+" | ".*");
        let name = |text: &str| {
            !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        };
        let names: Vec<String> = match operator {
            "=" => vec![value.to_owned()],
            "=~" if everything => Vec::new(),
            "=~" if value.split('|').all(name) => value.split('|').map(str::to_owned).collect(),
            _ => return None,
        };
        match label {
            "service" => self.services.extend(names),
            "level" => self.levels.extend(names.iter().map(|level| level.to_ascii_uppercase())),
            "trace_id" if operator == "=" => self.trace = Some(value.to_owned()),
            _ => return None,
        }
        Some(())
    }
}

/// `label=~"value"`: label, operator, value, and the rest.
fn matcher(text: &str) -> Option<(&str, &str, String, &str)> {
    let text = text.trim_start();
    let end = text.find(|char: char| !(char.is_ascii_alphanumeric() || char == '_'))?;
    let (label, rest) = text.split_at(end);
    let rest = rest.trim_start();
    let operator = ["=~", "!=", "!~", "="].into_iter().find(|operator| rest.starts_with(operator))?;
    let (value, rest) = quoted(rest[operator.len()..].trim_start())?;
    Some((label, operator, value, rest))
}

/// A text in quotes or backticks, and the rest.
fn quoted(text: &str) -> Option<(String, &str)> {
    if let Some(raw) = text.strip_prefix('`') {
        let (value, rest) = raw.split_once('`')?;
        return Some((value.to_owned(), rest));
    }
    let inner = text.strip_prefix('"')?;
    let mut value = String::new();
    let mut chars = inner.char_indices();
    while let Some((at, char)) = chars.next() {
        match char {
            '"' => return Some((value, &inner[at + 1..])),
            '\\' => value.push(chars.next()?.1),
            char => value.push(char),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(all: &[&str]) -> Vec<String> {
        all.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn the_queries_of_boards_and_their_links_are_understood() {
        let of = wanted("{service=\"order-api\"} | json | level=~`WARN|ERROR`").unwrap();
        assert_eq!((of.services, of.levels), (texts(&["order-api"]), texts(&["WARN", "ERROR"])));
        let all = wanted(r#"{service=~".+"} | json | level="ERROR""#).unwrap();
        assert_eq!((all.services, all.levels), (Vec::new(), texts(&["ERROR"])));
        let access = wanted("{service=\"a\"} |= `\"target\":\"access\"` | json").unwrap();
        assert_eq!(access.texts, texts(&["\"target\":\"access\""]));
        let trace = wanted(r#"{service="a", level="WARN"} | json | trace_id="4bf9""#).unwrap();
        assert_eq!(trace.trace.as_deref(), Some("4bf9"));
    }

    #[test]
    fn what_cannot_be_answered_is_not_understood() {
        for query in [
            "",
            "{}",
            "{service=\"a\"",
            "sum(rate({service=\"a\"}[5s]))",
            "{service=\"a\"} | json | url_path!=\"/risky\"",
            "{service=~\"a.*\"}",
            "{service=\"a\"} | json | status>=400",
            "{service=\"a\"} != `x`",
        ] {
            assert_eq!(wanted(query), None, "{query}");
        }
    }
}
