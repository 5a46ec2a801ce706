//! AWS Signature Version 4 for the few requests of a repository (Amazon S3 API Reference, "Authenticating Requests: Using the
//! Authorization Header"). Pure.

use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit as _, Mac as _};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};

/// Who signs.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    /// Access key id.
    pub(crate) id: String,
    /// Secret access key.
    pub(crate) secret: SecretString,
    /// Region; emulators take any.
    pub(crate) region: String,
}

/// A request to be signed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Request<'a> {
    /// Method, in capitals.
    pub(crate) method: &'a str,
    /// Host, with its port unless it is that of the scheme.
    pub(crate) host: &'a str,
    /// Path, encoded.
    pub(crate) path: &'a str,
    /// Query, encoded and sorted; empty for none.
    pub(crate) query: &'a str,
    /// SHA-256 of the body, in hexadecimal digits.
    pub(crate) body: &'a str,
}

/// The headers that a request needs besides `host`.
pub(crate) fn headers(
    request: Request<'_>,
    account: &Account,
    now: DateTime<Utc>,
) -> [(&'static str, String); 3] {
    let time = now.format("%Y%m%dT%H%M%SZ").to_string();
    let (day, _) = time.split_at(8);
    let Request { method, host, path, query, body } = request;
    let signed = "host;x-amz-content-sha256;x-amz-date";
    let canonical = format!(
        "{method}\n{path}\n{query}\nhost:{host}\nx-amz-content-sha256:{body}\nx-amz-date:{time}\n\n{signed}\n{body}"
    );
    let scope = format!("{day}/{}/s3/aws4_request", account.region);
    let text = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{}", digest(canonical.as_bytes()));
    let first = format!("AWS4{}", account.secret.expose_secret());
    let key = [day, &account.region, "s3", "aws4_request"]
        .iter()
        .fold(first.into_bytes(), |key, word| mac(&key, word.as_bytes()));
    let signature = hex::encode(mac(&key, text.as_bytes()));
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={signed}, Signature={signature}",
        account.id
    );
    [("x-amz-content-sha256", body.to_owned()), ("x-amz-date", time), ("authorization", authorization)]
}

/// SHA-256 in hexadecimal digits.
pub(crate) fn digest(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// Everything but letters, digits and `-._~`.
const NOT_IN_VALUES: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A value of a query, a slash in it encoded too.
pub(crate) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NOT_IN_VALUES).to_string()
}

fn mac(key: &[u8], text: &[u8]) -> Vec<u8> {
    // HMAC accepts keys of any length.
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap_or_else(|_| unreachable!("a key of any length"));
    mac.update(text);
    mac.finalize().into_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// "Example: Get Bucket (List Objects)" of the reference.
    #[test]
    fn a_list_is_signed_as_in_amazons_example() {
        let account = Account {
            id: "AKIAIOSFODNN7EXAMPLE".to_owned(),
            secret: SecretString::from("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
            region: "us-east-1".to_owned(),
        };
        let request = Request {
            method: "GET",
            host: "examplebucket.s3.amazonaws.com",
            path: "/",
            query: "max-keys=2&prefix=J",
            body: &digest(b""),
        };
        let now = "2013-05-24T00:00:00Z".parse().unwrap();
        let [_, _, (_, authorization)] = headers(request, &account, now);
        assert_eq!(
            authorization,
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, \
             SignedHeaders=host;x-amz-content-sha256;x-amz-date, \
             Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"
        );
    }

    #[test]
    fn a_value_is_encoded_as_the_signature_has_it() {
        assert_eq!(encoded("wal/0001 ~a+b="), "wal%2F0001%20~a%2Bb%3D");
    }
}
