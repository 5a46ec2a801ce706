//! A repository in an object store with Amazon's S3 API, at any endpoint: five plain requests, path style, signed.
//!
//! A list has no time but that at which an object arrived, which is later than the time of its content. It is counted as
//! [`LATE`] earlier, so that no moment is promised that the content does not reach.

pub(crate) mod sign;

use std::{fs, path::Path, thread, time::Duration};

use anyhow::{Context, Result, anyhow, bail};
use chrono::{DateTime, TimeDelta, Utc};
use reqwest::{Client, Method, StatusCode, Url};
use secrecy::SecretString;

use self::sign::{Account, Request, digest, encoded, headers};
use super::store::{Object, Store};

/// Longest time from reading content to the end of its upload.
const LATE: TimeDelta = TimeDelta::seconds(10);
/// Longest wait for one answer; an upload that takes longer would break [`LATE`].
const PATIENCE: Duration = Duration::from_secs(8);
/// A base backup takes longer than a segment, and its time is in its manifest.
const PATIENCE_LARGE: Duration = Duration::from_secs(600);
/// Bytes from which on an object is a large one.
const LARGE: usize = 16 << 20;
/// Attempts of one request; the pause before the second, which doubles.
const ATTEMPTS: u32 = 4;
const PAUSE: Duration = Duration::from_millis(200);

/// How an object store is reached.
#[derive(Debug, Clone, Default)]
pub(crate) struct Settings {
    /// URL of the store.
    pub(crate) endpoint: Option<String>,
    /// Access key id.
    pub(crate) id: Option<String>,
    /// Secret access key.
    pub(crate) secret: Option<SecretString>,
    /// Region.
    pub(crate) region: Option<String>,
}

/// A bucket, and the prefix of all names in it.
pub(crate) struct Bucket {
    endpoint: Url,
    bucket: String,
    prefix: String,
    account: Account,
}

impl Bucket {
    /// `s3://BUCKET` or `s3://BUCKET/PREFIX`.
    ///
    /// # Errors
    /// A sentence about what is missing or not plain.
    pub(crate) fn at(address: &str, settings: &Settings) -> Result<Self> {
        let rest = address.strip_prefix("s3://").context("expected s3://BUCKET/PREFIX")?;
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let plain =
            |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._/".contains(&byte));
        if bucket.is_empty() || !plain(bucket) || !plain(prefix) {
            bail!("`{address}` is not s3://BUCKET/PREFIX in letters, digits and `-._/`");
        }
        let missing = |name: &str| format!("{address} needs {name}");
        let place = "S3_ENDPOINT, such as http://host:9200, or a running `lab up --objects`";
        let endpoint = settings.endpoint.as_deref().with_context(|| missing(place))?;
        let endpoint =
            Url::parse(endpoint).with_context(|| format!("S3_ENDPOINT={endpoint} is not a URL"))?;
        if endpoint.scheme() != "http" || !endpoint.has_host() {
            bail!(
                "S3_ENDPOINT must begin with http://: the lab has no TLS; encrypted backups may pass in the clear"
            );
        }
        let prefix = prefix.trim_matches('/');
        Ok(Self {
            endpoint,
            bucket: bucket.to_owned(),
            prefix: if prefix.is_empty() { String::new() } else { format!("{prefix}/") },
            account: Account {
                id: settings.id.clone().with_context(|| missing("AWS_ACCESS_KEY_ID"))?,
                secret: settings.secret.clone().with_context(|| missing("AWS_SECRET_ACCESS_KEY"))?,
                region: settings.region.clone().unwrap_or_else(|| "us-east-1".to_owned()),
            },
        })
    }

    /// Sends a request about an object, or about the bucket if `name` is empty; repeats it if the store is busy or silent.
    fn ask(&self, method: &Method, name: &str, query: &str, body: &[u8]) -> Result<(StatusCode, Vec<u8>)> {
        let path = match name {
            "" => format!("/{}/", self.bucket),
            name => format!("/{}/{}{name}", self.bucket, self.prefix),
        };
        let call = self.call(method, &path, query, body);
        // A runtime of its own: stores are used by code that waits, in programs with one thread for everything else.
        thread::scope(|scope| {
            let waiting = scope.spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                runtime.context("no runtime")?.block_on(call)
            });
            waiting.join().map_err(|_| anyhow!("a request to {} panicked", self.place()))?
        })
    }

    async fn call(
        &self,
        method: &Method,
        path: &str,
        query: &str,
        body: &[u8],
    ) -> Result<(StatusCode, Vec<u8>)> {
        let client = Client::builder().no_proxy().build().context("no HTTP client")?;
        let patience = if body.len() >= LARGE || method == Method::GET { PATIENCE_LARGE } else { PATIENCE };
        let (mut pause, hash) = (PAUSE, digest(body));
        for attempt in 1..=ATTEMPTS {
            let answer = self.once(&client, method, path, query, body, &hash).timeout(patience).send().await;
            match answer {
                Ok(answer) if !answer.status().is_server_error() => {
                    let status = answer.status();
                    let bytes =
                        answer.bytes().await.with_context(|| format!("{} broke off", self.place()))?;
                    return Ok((status, bytes.to_vec()));
                }
                Ok(answer) if attempt == ATTEMPTS => bail!("{} answers {}", self.place(), answer.status()),
                Err(error) if attempt == ATTEMPTS => {
                    return Err(error).with_context(|| format!("{} does not answer", self.place()));
                }
                _ => {}
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
        bail!("{} does not answer", self.place())
    }

    fn once(
        &self,
        client: &Client,
        method: &Method,
        path: &str,
        query: &str,
        body: &[u8],
        hash: &str,
    ) -> reqwest::RequestBuilder {
        let host = self.endpoint.host_str().unwrap_or_default();
        let host = self.endpoint.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        let request = Request { method: method.as_str(), host: &host, path, query, body: hash };
        let mark = if query.is_empty() { "" } else { "?" };
        let url = format!("http://{host}{path}{mark}{query}");
        let mut builder = client.request(method.clone(), url).body(body.to_vec());
        for (name, value) in headers(request, &self.account, Utc::now()) {
            builder = builder.header(name, value);
        }
        builder
    }

    /// As a sentence, what the store says instead of doing it.
    fn refused(&self, what: &str, status: StatusCode, body: &[u8]) -> anyhow::Error {
        let body = String::from_utf8_lossy(body);
        let code = between(&body, "<Code>", "</Code>").unwrap_or("no code");
        anyhow!("{} does not {what}: {status}, {code}", self.place())
    }
}

impl Store for Bucket {
    fn put(&self, name: &str, file: &Path, _stamp: DateTime<Utc>) -> Result<()> {
        let body = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
        let (status, answer) = self.ask(&Method::PUT, name, "", &body)?;
        if status.is_success() { Ok(()) } else { Err(self.refused(&format!("take {name}"), status, &answer)) }
    }

    fn get(&self, name: &str, to: &Path) -> Result<()> {
        let (status, answer) = self.ask(&Method::GET, name, "", &[])?;
        if !status.is_success() {
            return Err(self.refused(&format!("give {name}"), status, &answer));
        }
        fs::write(to, answer).with_context(|| format!("cannot write {}", to.display()))
    }

    fn list(&self, prefix: &str) -> Result<Vec<Object>> {
        let (mut found, mut token) = (Vec::new(), None::<String>);
        loop {
            let prefix = encoded(&format!("{}{prefix}", self.prefix));
            // Sorted, as the signature wants it.
            let query = match &token {
                Some(token) => format!("continuation-token={}&list-type=2&prefix={prefix}", encoded(token)),
                None => format!("list-type=2&prefix={prefix}"),
            };
            let (status, answer) = self.ask(&Method::GET, "", &query, &[])?;
            if !status.is_success() {
                return Err(self.refused("list", status, &answer));
            }
            let page = String::from_utf8(answer).context("a list that is not UTF-8")?;
            found.extend(objects(&page, &self.prefix));
            token = between(&page, "<NextContinuationToken>", "</NextContinuationToken>").map(str::to_owned);
            if token.is_none() {
                found.sort_by(|a: &Object, b| a.name.cmp(&b.name));
                return Ok(found);
            }
        }
    }

    /// Stored again: a list has no other time.
    fn touch(&self, name: &str, stamp: DateTime<Utc>) -> Result<()> {
        let file = tempfile::NamedTempFile::new().context("no temporary file")?;
        self.get(name, file.path())?;
        self.put(name, file.path(), stamp)
    }

    fn delete(&self, name: &str) -> Result<()> {
        let (status, answer) = self.ask(&Method::DELETE, name, "", &[])?;
        if status.is_success() || status == StatusCode::NOT_FOUND {
            return Ok(());
        }
        Err(self.refused(&format!("delete {name}"), status, &answer))
    }

    fn place(&self) -> String {
        format!("s3://{}/{} at {}", self.bucket, self.prefix, self.endpoint)
    }
}

fn between<'t>(text: &'t str, before: &str, after: &str) -> Option<&'t str> {
    Some(text.split_once(before)?.1.split_once(after)?.0)
}

/// Objects of a page of a list. Names of backups are plain, so nothing in them is escaped; others are left out.
fn objects(page: &str, prefix: &str) -> Vec<Object> {
    let object = |entry: &str| {
        let name = between(entry, "<Key>", "</Key>")?.strip_prefix(prefix)?.to_owned();
        let arrived =
            DateTime::parse_from_rfc3339(between(entry, "<LastModified>", "</LastModified>")?).ok()?;
        Some(Object { name, stamp: arrived.to_utc() - LATE })
    };
    page.split("<Contents>").skip(1).filter_map(object).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Settings {
        Settings {
            endpoint: Some("http://127.0.0.1:9200".to_owned()),
            id: Some("lab".to_owned()),
            secret: Some(SecretString::from("secret")),
            region: None,
        }
    }

    #[test]
    fn a_page_is_read_without_names_of_others() {
        let page = "<ListBucketResult><IsTruncated>false</IsTruncated>\
            <Contents><Key>lab/wal/a.zst.sealed</Key><LastModified>2026-03-01T10:00:10.000Z</LastModified></Contents>\
            <Contents><Key>other/b</Key><LastModified>2026-03-01T10:00:00.000Z</LastModified></Contents>\
            </ListBucketResult>";
        let stamp = "2026-03-01T10:00:00Z".parse().unwrap();
        assert_eq!(objects(page, "lab/"), [Object { name: "wal/a.zst.sealed".to_owned(), stamp }]);
    }

    #[test]
    fn what_is_missing_is_named() {
        let fine = Bucket::at("s3://backups/lab/", &settings()).unwrap();
        assert_eq!(fine.place(), "s3://backups/lab/ at http://127.0.0.1:9200/");
        let error =
            |address: &str, settings: &Settings| Bucket::at(address, settings).err().unwrap().to_string();
        assert!(error("s3://", &settings()).contains("is not s3://BUCKET/PREFIX"));
        assert!(error("s3://a b", &settings()).contains("is not s3://BUCKET/PREFIX"));
        let without = Settings { id: None, ..settings() };
        assert_eq!(error("s3://backups", &without), "s3://backups needs AWS_ACCESS_KEY_ID");
        let nowhere = Settings { endpoint: None, ..settings() };
        assert!(error("s3://backups", &nowhere).contains("`lab up --objects`"));
        let secure = Settings { endpoint: Some("https://host".to_owned()), ..settings() };
        assert!(error("s3://backups", &secure).contains("must begin with http://"));
    }

    #[test]
    fn a_store_that_is_gone_is_an_error_in_a_sentence() {
        let nobody = Settings { endpoint: Some("http://127.0.0.1:1".to_owned()), ..settings() };
        let error = Bucket::at("s3://backups", &nobody).unwrap().list("").unwrap_err().to_string();
        assert_eq!(error, "s3://backups/ at http://127.0.0.1:1/ does not answer");
    }
}
