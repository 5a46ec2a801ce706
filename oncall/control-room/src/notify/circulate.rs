//! What is sent round when an incident closes: what its postmortem is called, and where to read it.

use incident::{Event, Incident, State, What};

use super::message::number;
use crate::{error::Result, store::Writing};

/// Longest title, in characters: it is a line of a message.
const LONGEST: usize = 200;

/// A line about the postmortem, if this event closes the incident. That happens once: nothing comes after closed. `base` is
/// the address of the pages; the one of the postmortem is there even if nobody has written it yet.
///
/// # Errors
/// The store's.
pub(super) async fn postmortem(
    writing: &mut Writing<'_>,
    incident: &Incident,
    base: &str,
    event: &Event,
) -> Result<Option<String>> {
    if !matches!(event.what, What::Moved { to: State::Closed, .. }) {
        return Ok(None);
    }
    let newest: Option<String> =
        sqlx::query_scalar("SELECT text FROM postmortems WHERE incident = ? ORDER BY version DESC LIMIT 1")
            .bind(number(incident.id))
            .fetch_optional(&mut **writing)
            .await?;
    let id = incident.id;
    let title = newest.as_deref().and_then(title).unwrap_or_else(|| format!("{id}: {}", incident.title));
    Ok(Some(format!("the postmortem is “{title}”: {base}/postmortems/{id}")))
}

/// The first heading of a text in Markdown.
fn title(text: &str) -> Option<String> {
    let heading = text.lines().find_map(|line| line.strip_prefix("# "))?.trim();
    (!heading.is_empty()).then(|| heading.chars().take(LONGEST).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_title_is_the_first_heading_if_there_is_one() {
        assert_eq!(title("# INC-1: Orders fail\n\n# Second\n").as_deref(), Some("INC-1: Orders fail"));
        assert_eq!(title("A note.\n\n# Below it").as_deref(), Some("Below it"));
        for none in ["", "no heading", "## Too deep", "#  \n"] {
            assert_eq!(title(none), None, "{none}");
        }
        let long = title(&format!("# {}", "é".repeat(500))).expect("a title");
        assert_eq!(long.chars().count(), LONGEST);
    }
}
