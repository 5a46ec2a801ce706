//! The Jaeger UI: the assets of its release 2.14.1 (`ui/README.md` says where they come from), and its page for every other
//! path, because its routes are in the browser.

use axum::{
    Router,
    http::{HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
    routing::get,
};

struct Asset {
    path: &'static str,
    content_type: &'static str,
    gzip: bool,
    bytes: &'static [u8],
}

const ASSETS: &[Asset] = &[
    Asset {
        path: "/static/index-Ba4Pmzjs.js",
        content_type: "text/javascript",
        gzip: true,
        bytes: include_bytes!("../ui/static/index-Ba4Pmzjs.js.gz"),
    },
    Asset {
        path: "/static/index-BCPS3alI.css",
        content_type: "text/css",
        gzip: true,
        bytes: include_bytes!("../ui/static/index-BCPS3alI.css.gz"),
    },
    Asset {
        path: "/static/jaeger-logo-CNZsoUdk.svg",
        content_type: "image/svg+xml",
        gzip: true,
        bytes: include_bytes!("../ui/static/jaeger-logo-CNZsoUdk.svg.gz"),
    },
    Asset {
        path: "/static/favicon-BxcVf0am.ico",
        content_type: "image/x-icon",
        gzip: false,
        bytes: include_bytes!("../ui/static/favicon-BxcVf0am.ico"),
    },
];

const INDEX: &str = include_str!("../ui/index.html");

/// What Jaeger's query service would insert into the page: the menus, and the version.
/// Keys: <https://www.jaegertracing.io/docs/latest/frontend-ui/>.
const CONFIG: &str =
    r#"{"dependencies":{"menuEnabled":true},"monitor":{"menuEnabled":false},"archiveEnabled":false}"#;

/// The routes; to be merged with those of the API.
pub fn router() -> Router {
    let page = INDEX
        .replace("JAEGER_CONFIG = DEFAULT_CONFIG;", &format!("JAEGER_CONFIG = {CONFIG};"))
        .replace("'gitVersion':''", "'gitVersion':'UI 2.14.1 on lab-traces'");
    let mut router = Router::new().route("/static/{*rest}", get(|| async { StatusCode::NOT_FOUND }));
    for asset in ASSETS {
        router = router.route(asset.path, get(|| async { asset.response() }));
    }
    router.fallback(get(move || {
        let page = page.clone();
        async move { Html(page) }
    }))
}

impl Asset {
    fn response(&self) -> Response {
        let mut response = self.bytes.into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        // The names contain a hash of the content.
        headers
            .insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable"));
        if self.gzip {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        response
    }
}
