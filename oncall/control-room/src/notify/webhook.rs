//! Signed POSTs to the programs of others: `X-Lab-Signature: t=SECONDS,v1=HEX`, where `HEX` is the HMAC-SHA256 of
//! `SECONDS.BODY`. The receiver recognizes a repetition by `Idempotency-Key`.

use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::Sha256;

use super::{exchange::Request, failure::Failure, http::Client};

/// Sends a body, the same in each attempt.
pub(super) async fn post(
    client: &Client,
    secret: Option<&SecretString>,
    url: &str,
    key: &str,
    body: &str,
    now: DateTime<Utc>,
) -> Result<(), Failure> {
    let mut headers =
        vec![("content-type", "application/json".to_owned()), ("idempotency-key", key.to_owned())];
    headers.extend(secret.map(|secret| ("x-lab-signature", signature(secret, now.timestamp(), body))));
    let request = Request { url, headers, body: body.to_owned() };
    client.post(&request).await?.accepted().map(|_| ())
}

fn signature(secret: &SecretString, seconds: i64, body: &str) -> String {
    let key = secret.expose_secret().as_bytes();
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap_or_else(|_| unreachable!("a key of any length"));
    mac.update(format!("{seconds}.{body}").as_bytes());
    format!("t={seconds},v1={}", hex::encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_what_others_compute() {
        // printf '%s' '1700000000.{"a":1}' | openssl dgst -sha256 -hmac lab-secret
        let expected = "567bf44d93fab55618da1325c420fdc1f8a1d560423b9ba4f97cf2d92a7b4088";
        let signed = signature(&SecretString::from("lab-secret"), 1_700_000_000, r#"{"a":1}"#);
        assert_eq!(signed, format!("t=1700000000,v1={expected}"));
    }
}
