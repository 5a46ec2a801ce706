//! Markdown of others as HTML: postmortems, runbooks, playbooks. HTML in it is shown as text, and a link leads to HTTP or to a
//! place on this site, or it is no link.

use maud::{Markup, PreEscaped, html};
use pulldown_cmark::{Alignment, Event, Options, Parser, Tag, TagEnd, html::push_html};

/// Renders Markdown with tables, footnotes, strikethrough and task lists.
pub(crate) fn markdown(text: &str) -> Markup {
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS;
    let mut dropped = Vec::new();
    let events = Parser::new_ext(text, options).filter_map(|event| safe(event, &mut dropped));
    let mut rendered = String::with_capacity(text.len() * 3 / 2);
    push_html(&mut rendered, events);
    // A long line is scrolled with the keyboard too. What others wrote is escaped, so this tag is our own.
    let rendered = rendered.replace("<pre>", "<pre tabindex=\"0\">");
    html! { div.prose { (PreEscaped(rendered)) } }
}

/// The event, if it may stay; `dropped` remembers for each open link and image whether its tags are left out.
fn safe<'t>(event: Event<'t>, dropped: &mut Vec<bool>) -> Option<Event<'t>> {
    match event {
        Event::Html(text) | Event::InlineHtml(text) => Some(Event::Text(text)),
        Event::Start(Tag::HtmlBlock) | Event::End(TagEnd::HtmlBlock) => None,
        Event::Start(Tag::Link { ref dest_url, .. }) => {
            dropped.push(!is_harmless(dest_url));
            dropped.last().is_some_and(|dropped| !dropped).then_some(event)
        }
        // A picture from elsewhere would tell that somebody reads this page.
        Event::Start(Tag::Image { ref dest_url, .. }) => {
            dropped.push(!is_local(dest_url));
            dropped.last().is_some_and(|dropped| !dropped).then_some(event)
        }
        Event::End(TagEnd::Link | TagEnd::Image) => (!dropped.pop().unwrap_or(false)).then_some(event),
        // Aligned cells would get a style attribute, which the content security policy forbids.
        Event::Start(Tag::Table(columns)) => {
            Some(Event::Start(Tag::Table(vec![Alignment::None; columns.len()])))
        }
        event => Some(event),
    }
}

/// An address that others wrote, if a link may lead there: to HTTP or within this site.
pub(crate) fn safe_link(url: &str) -> Option<&str> {
    let own = url.strip_prefix(USUAL).filter(|rest| rest.starts_with('/'));
    let url = own.unwrap_or(url);
    is_harmless(url).then_some(url)
}

/// The address of a control room that was not moved: rules name it in their links, and this one may have another.
const USUAL: &str = "http://localhost:8080";

fn is_harmless(url: &str) -> bool {
    url.starts_with("http://") || url.starts_with("https://") || is_local(url)
}

/// A relative address or a fragment: no scheme, and no host.
fn is_local(url: &str) -> bool {
    let head = url.split(['/', '?', '#']).next().unwrap_or_default();
    !head.contains(':')
        && !url.starts_with("//")
        && !url.contains('\\')
        && !url.bytes().any(|byte| byte < 0x20)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(text: &str) -> String {
        markdown(text).into_string()
    }

    #[test]
    fn html_of_others_is_shown_as_text() {
        let shown = rendered("a <img src=x onerror=alert(1)> b\n\n<script>alert(1)</script>\n");
        assert!(!shown.contains("<img") && !shown.contains("<script"), "{shown}");
        assert!(shown.contains("&lt;script&gt;"), "{shown}");
    }

    #[test]
    fn a_link_leads_to_http_or_to_this_site() {
        let kept =
            ["[x](https://a.example/b)", "[x](/runbooks/Y)", "[x](#part)", "[x](Other.md)", "[x](../a:b)"];
        for text in kept {
            assert!(rendered(text).contains("<a href="), "{text}");
        }
        for text in
            ["[x](javascript:alert(1))", "[x](data:text/html,1)", "[x](//evil.example)", "[x](vbscript:y)"]
        {
            let shown = rendered(text);
            assert!(
                !shown.contains("<a ") && !shown.contains("</a>") && shown.contains('x'),
                "{text}: {shown}"
            );
        }
        let nested = rendered("[![alt](https://a.example/x.png)](/y)");
        assert!(nested.contains("<a href=\"/y\">alt</a>") && !nested.contains("<img"), "{nested}");
    }

    #[test]
    fn tables_have_no_style_attributes() {
        let shown = rendered("| a | b |\n|:--|--:|\n| 1 | 2 |\n");
        assert!(shown.contains("<td>1</td>") && !shown.contains("style="), "{shown}");
    }
}
