//! Styles, scripts and the icon: compiled in, with a hash in their names, so that a browser keeps them until they change.

use std::sync::LazyLock;

use axum::{
    body::Bytes,
    response::{IntoResponse, Response},
};
use chassis_http::{Path, Problem, problems::NOT_FOUND};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use maud::{Markup, html};
use sha2::{Digest, Sha256};

/// One file as it is served.
struct Asset {
    /// Its name in the program.
    name: &'static str,
    /// Its name on the wire.
    path: String,
    kind: &'static str,
    body: Bytes,
}

const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

/// What is served: name, media type, and the files that are put together, in this order.
static FILES: [(&str, &str, &[&str]); 6] = [
    (
        "room.css",
        CSS,
        &[
            include_str!("vendor/uplot.min.css"),
            include_str!("room.css"),
            include_str!("boards.css"),
            include_str!("oncall.css"),
            include_str!("faults.css"),
            include_str!("drills.css"),
        ],
    ),
    ("theme.js", SCRIPT, &[include_str!("theme.js")]),
    ("htmx.js", SCRIPT, &[include_str!("vendor/htmx.min.js")]),
    ("uplot.js", SCRIPT, &[include_str!("vendor/uplot.iife.min.js")]),
    ("room.js", SCRIPT, &[include_str!("room.js")]),
    ("icon.svg", SVG, &[include_str!("icon.svg")]),
];

static ALL: LazyLock<Vec<Asset>> = LazyLock::new(|| {
    let assets = FILES.iter().map(|&(name, kind, parts)| {
        // One part is served from where it was compiled in, without a copy.
        let body = match parts {
            [one] => Bytes::from_static(one.as_bytes()),
            parts => Bytes::from(parts.join("\n")),
        };
        let hash = hex::encode(Sha256::digest(&body));
        let (stem, ending) = name.split_once('.').unwrap_or((name, ""));
        let path = format!("/assets/{stem}-{}.{ending}", hash.get(..12).unwrap_or_default());
        Asset { name, path, kind, body }
    });
    assets.collect()
});

/// The address of a file.
pub(super) fn href(name: &str) -> &'static str {
    ALL.iter().find(|asset| asset.name == name).map_or("", |asset| asset.path.as_str())
}

/// `GET /assets/{name}`.
pub(super) async fn serve(Path(name): Path<String>) -> Result<Response, Problem> {
    let wanted = format!("/assets/{name}");
    let found = ALL.iter().find(|asset| asset.path == wanted);
    let asset = found
        .ok_or_else(|| Problem::new(&NOT_FOUND, "There is no such file; pages name those that exist."))?;
    let headers = [(CONTENT_TYPE, asset.kind), (CACHE_CONTROL, "public, max-age=31536000, immutable")];
    Ok((headers, asset.body.clone()).into_response())
}

/// The mark beside the name.
pub(super) fn mark() -> Markup {
    html! {
        svg viewBox="0 0 20 20" aria-hidden="true" {
            rect width="20" height="20" rx="5" fill="currentColor" {}
            path d="M3 11h3l2-5 3.5 9 2-4H17" fill="none" stroke="#fff" stroke-width="1.8" stroke-linecap="round"
                stroke-linejoin="round" {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// JavaScript that a page loads, in bytes.
    const MOST_SCRIPT: usize = 130_000;

    #[test]
    fn files_of_others_are_as_their_packages_have_them() {
        let files: [(&str, &[u8]); 3] = [
            ("htmx.min.js", include_bytes!("vendor/htmx.min.js")),
            ("uplot.iife.min.js", include_bytes!("vendor/uplot.iife.min.js")),
            ("uplot.min.css", include_bytes!("vendor/uplot.min.css")),
        ];
        let list = include_str!("vendor/vendor.toml");
        let value = |block: &str, key: &str| {
            let line =
                block.lines().find_map(|line| line.strip_prefix(&format!("{key} = \""))).map(str::to_owned);
            line.and_then(|line| line.strip_suffix('"').map(str::to_owned)).unwrap_or_default()
        };
        let blocks: Vec<&str> = list.split("[[file]]").skip(1).collect();
        assert_eq!(blocks.len(), files.len());
        for block in blocks {
            let name = value(block, "name");
            let (_, body) = files.iter().find(|file| file.0 == name).expect("a file of the list");
            assert_eq!(hex::encode(Sha256::digest(body)), value(block, "sha256"), "{name}");
            for key in ["package", "version", "licence", "licence_file", "source"] {
                assert!(!value(block, key).is_empty(), "{name} has no {key}");
            }
        }
    }

    #[test]
    fn a_page_loads_at_most_130_kilobytes_of_script() {
        let bytes: usize =
            ALL.iter().filter(|asset| asset.kind == SCRIPT).map(|asset| asset.body.len()).sum();
        assert!(bytes <= MOST_SCRIPT, "{bytes}");
    }

    #[test]
    fn a_name_changes_with_its_content_and_every_file_has_an_address() {
        for (name, ..) in FILES {
            let path = href(name);
            assert!(path.starts_with("/assets/") && path.len() > "/assets/".len() + 12, "{name}: {path}");
        }
    }

    #[test]
    fn nothing_is_loaded_from_elsewhere() {
        for asset in ALL.iter().filter(|asset| asset.kind == CSS) {
            let text = String::from_utf8_lossy(&asset.body);
            assert!(!text.contains("@import") && !text.contains("url("), "{}", asset.name);
        }
    }
}
