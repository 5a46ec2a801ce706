//! Slack's limits of a message, as a check for tests; here and in `tests/notify`, where the fake API checks every call.

use serde_json::Value;

/// Checks `text`, `blocks` and `attachments` of a message. Blocks of attachments count like the others.
pub(crate) fn check(message: &Value) -> Result<(), String> {
    let text = message["text"].as_str().ok_or("`text` is missing: it is what notifications show")?;
    within("text", text, 4000)?;
    let mut lists = vec![&message["blocks"]];
    if let Some(attachments) = message.get("attachments") {
        let attachments = attachments.as_array().ok_or("`attachments` is not a list")?;
        if attachments.is_empty() || attachments.len() > 20 {
            return Err(format!("{} attachments: 1 to 20 are allowed", attachments.len()));
        }
        attachments.iter().try_for_each(colour)?;
        lists.extend(attachments.iter().map(|attachment| &attachment["blocks"]));
    }
    let (mut count, mut size) = (0, 0);
    for list in lists.into_iter().filter(|list| !list.is_null()) {
        let blocks = list.as_array().ok_or("`blocks` is not a list")?;
        if blocks.is_empty() {
            return Err("a list of blocks is empty".to_owned());
        }
        count += blocks.len();
        size += list.to_string().encode_utf16().count();
        blocks.iter().try_for_each(block)?;
    }
    if count > 50 {
        return Err(format!("{count} blocks: 1 to 50 are allowed"));
    }
    if size > 13_000 {
        return Err(format!("all blocks have {size} characters: 13000 are allowed"));
    }
    Ok(())
}

fn colour(attachment: &Value) -> Result<(), String> {
    let right = |text: &str| {
        text.strip_prefix('#')
            .is_some_and(|digits| digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_hexdigit()))
    };
    match &attachment["color"] {
        Value::Null => Ok(()),
        Value::String(text) if right(text) => Ok(()),
        other => Err(format!("{other} is no colour")),
    }
}

fn block(block: &Value) -> Result<(), String> {
    match block["type"].as_str().unwrap_or_default() {
        "header" => object(&block["text"], "plain_text", 150),
        "section" if block["fields"].is_null() => object(&block["text"], "mrkdwn", 3000),
        "section" => each(&block["fields"], 10, |field| object(field, "mrkdwn", 2000)),
        "context" => each(&block["elements"], 10, |element| object(element, "mrkdwn", 3000)),
        "actions" => each(&block["elements"], 25, button),
        other => Err(format!("no block of type `{other}` is expected")),
    }
}

fn button(button: &Value) -> Result<(), String> {
    object(&button["text"], "plain_text", 75)?;
    let url =
        button["url"].as_str().filter(|url| url.starts_with("http")).ok_or("a button without a link")?;
    within("url", url, 3000)?;
    within("action_id", button["action_id"].as_str().unwrap_or_default(), 255)
}

fn each(list: &Value, most: usize, check: fn(&Value) -> Result<(), String>) -> Result<(), String> {
    let list = list.as_array().ok_or("a list is missing")?;
    if list.is_empty() || list.len() > most {
        return Err(format!("{} elements: 1 to {most} are allowed", list.len()));
    }
    list.iter().try_for_each(check)
}

fn object(object: &Value, kind: &str, most: usize) -> Result<(), String> {
    if object["type"] != kind {
        return Err(format!("{object} is not of type {kind}"));
    }
    within(kind, object["text"].as_str().unwrap_or_default(), most)
}

fn within(what: &str, text: &str, most: usize) -> Result<(), String> {
    match text.encode_utf16().count() {
        0 => Err(format!("{what} is empty")),
        length if length > most => Err(format!("{what} has {length} characters: {most} are allowed")),
        _ => Ok(()),
    }
}
