//! `load openapi DOCUMENT`

use std::{fs, time::Duration};

use clap::Args;
use serde_json::Value;

use super::{Stop, say};
use crate::openapi::{self, Options};

/// Writes a scenario to standard output. Look through it before you run it: it is a beginning, for you to change.
///
/// For example: load openapi http://127.0.0.1:8001/openapi.json > shop.yaml && load run shop.yaml
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(super) struct Generate {
    /// URL or file of the OpenAPI document (3.0 or 3.1), in JSON or YAML
    document: String,
    /// Base URL of the system; by default where the document comes from, with the path of its first server
    #[arg(long, value_name = "URL")]
    target: Option<String>,
    /// Journeys per second
    #[arg(long, default_value_t = 10.0, value_name = "N", value_parser = crate::config::rate)]
    rate: f64,
    /// Length of the test
    #[arg(long = "for", default_value = "1m", value_parser = humantime::parse_duration)]
    length: Duration,
    /// Include operations that change data; they really change it
    #[arg(long)]
    writes: bool,
}

impl Generate {
    pub(super) async fn live(self) -> Result<u8, Stop> {
        let remote = self.document.starts_with("http://");
        if self.document.starts_with("https://") {
            // It says what to do instead.
            crate::http::base_url(&self.document).map_err(Stop::Usage)?;
        }
        let text = if remote {
            crate::http::get(&self.document).await.map_err(Stop::Nothing)?.to_vec()
        } else {
            fs::read(&self.document).map_err(|error| Stop::File(self.document.clone(), error))?
        };
        let document = read(&self.document, &text)?;
        let origin = || self.document.split('/').take(3).collect::<Vec<_>>().join("/");
        let origin = remote.then(|| format!("{}{}", origin(), openapi::base_path(&document)));
        let target = self.target.or(origin);
        let target = target.ok_or_else(|| Stop::Usage("a file needs --target URL".to_owned()))?;
        crate::http::base_url(&target).map_err(Stop::Usage)?;
        let seconds = self.length.as_secs().max(1);
        let options = Options { target, rate: self.rate, seconds, writes: self.writes };
        let scenario = openapi::scenario(&document, &options).map_err(Stop::Usage)?;
        say(scenario.trim_end());
        Ok(0)
    }
}

/// A document in JSON, or else in YAML.
fn read(name: &str, text: &[u8]) -> Result<Value, Stop> {
    if let Ok(document) = serde_json::from_slice(text) {
        return Ok(document);
    }
    let text =
        std::str::from_utf8(text).map_err(|error| Stop::Usage(format!("{name}: not text: {error}")))?;
    yaml::parse(name, text).map_err(|problem| Stop::Usage(problem.to_string()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_document_is_json_or_yaml() {
        let wanted = json!({"paths": {"/pets": {"get": {"responses": {"200": {"description": "All"}}}}}});
        let json = wanted.to_string();
        let yaml = "paths:\n  /pets:\n    get:\n      responses:\n        '200': {description: All}\n";
        for text in [json.as_str(), yaml] {
            assert_eq!(read("pets", text.as_bytes()).unwrap(), wanted);
        }
        let stop = read("pets.yaml", b"paths: [").unwrap_err();
        assert!(stop.exit_code() == 64 && stop.to_string().starts_with("pets.yaml"), "{stop}");
    }
}
