//! Runbooks: what an alert means, how to find out more, what helps.

use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};

use super::{
    Answer,
    asked::logged,
    bounds::{BYTES, shortened},
};
use crate::{
    error::{Error, Result},
    mcp::caller::Caller,
    room::Room,
};

/// The section that tells how to cause the alert: for people who practise alone, and an answer for those who
/// are tested.
const CAUSE: &str = "\n## Try it in the lab";

/// Which runbook.
#[derive(Debug, Deserialize, Serialize, IntoParams, ToSchema)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct RunbooksAsked {
    /// The alert's name. Absent: the names of all.
    name: Option<String>,
}

/// The text of a runbook, in Markdown; or the names of all.
///
/// # Errors
/// When there is no such runbook.
pub(crate) async fn runbooks(room: &Room, caller: &Caller, asked: RunbooksAsked) -> Result<Answer> {
    let arguments = serde_json::to_value(&asked)?;
    logged(room, caller, "read_runbook", arguments, async { read(room, asked.name) }).await
}

fn read(room: &Room, name: Option<String>) -> Result<Answer> {
    let Some(name) = name else { return Ok(Answer::new(json!({ "runbooks": room.content.runbooks() }))) };
    match room.content.runbook(&name) {
        Some(text) => {
            Ok(Answer::new(json!({ "name": name, "text": shortened(without_cause(&text), BYTES / 2) })))
        }
        None => Err(Error::NoSuch { what: "runbook", name, known: room.content.runbooks().join(", ") }),
    }
}

fn without_cause(text: &str) -> &str {
    text.split_once(CAUSE).map_or(text, |(before, _)| before)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::Content;

    #[test]
    fn no_runbook_tells_how_to_cause_its_alert() {
        let content = Content::open(None).unwrap();
        let (mut all, mut with_cause) = (0, 0);
        for name in content.runbooks() {
            let text = content.runbook(&name).unwrap();
            let told = without_cause(&text);
            assert!(!told.contains("lab break"), "{name} tells it in another section");
            all += 1;
            with_cause += usize::from(told.len() < text.len());
        }
        assert!(all > 50 && with_cause > 50, "{with_cause} of {all} have the section");
    }
}
