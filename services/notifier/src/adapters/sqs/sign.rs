//! AWS Signature Version 4 for a call of SQS's JSON protocol: `POST /` with four signed headers (AWS IAM User Guide, "Create a
//! signed AWS API request"). Pure.

use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};

/// Media type of the protocol.
const MEDIA_TYPE: &str = "application/x-amz-json-1.0";
/// Names of the signed headers, sorted.
const SIGNED: &str = "content-type;host;x-amz-date;x-amz-target";

/// Who signs.
#[derive(Debug, Clone)]
pub(super) struct Account {
    /// Access key id.
    pub(super) id: String,
    /// Secret access key.
    pub(super) secret: SecretString,
    /// Region.
    pub(super) region: String,
}

/// A call.
#[derive(Debug, Clone, Copy)]
pub(super) struct Call<'a> {
    /// Host, with its port unless it is that of the scheme.
    pub(super) host: &'a str,
    /// Value of `x-amz-target`.
    pub(super) target: &'a str,
    /// Body.
    pub(super) body: &'a str,
}

/// The headers of a call besides `host`.
pub(super) fn headers(call: Call<'_>, account: &Account, now: DateTime<Utc>) -> [(&'static str, String); 4] {
    let Call { host, target, body } = call;
    let time = now.format("%Y%m%dT%H%M%SZ").to_string();
    let (day, _) = time.split_at(8);
    let canonical = format!(
        "POST\n/\n\ncontent-type:{MEDIA_TYPE}\nhost:{host}\nx-amz-date:{time}\nx-amz-target:{target}\n\n{SIGNED}\n{}",
        digest(body)
    );
    let scope = format!("{day}/{}/sqs/aws4_request", account.region);
    let text = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{}", digest(&canonical));
    let signature = hex::encode(mac(&key(account, day, "sqs"), &text));
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={SIGNED}, Signature={signature}",
        account.id
    );
    [
        ("content-type", MEDIA_TYPE.to_owned()),
        ("x-amz-date", time),
        ("x-amz-target", target.to_owned()),
        ("authorization", authorization),
    ]
}

/// The signing key of a day and a service.
fn key(account: &Account, day: &str, service: &str) -> Vec<u8> {
    let first = format!("AWS4{}", account.secret.expose_secret()).into_bytes();
    [day, &account.region, service, "aws4_request"].iter().fold(first, |key, word| mac(&key, word))
}

fn digest(text: &str) -> String {
    hex::encode(Sha256::digest(text.as_bytes()))
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    // HMAC accepts keys of any length.
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap_or_else(|_| unreachable!("a key of any length"));
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account() -> Account {
        Account {
            id: "AKIDEXAMPLE".to_owned(),
            secret: SecretString::from("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
            region: "us-east-1".to_owned(),
        }
    }

    /// "Examples of how to derive a signing key" of AWS's reference.
    #[test]
    fn the_key_is_that_of_amazons_example() {
        let key = key(&account(), "20150830", "iam");
        assert_eq!(hex::encode(key), "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9");
    }

    #[test]
    fn a_call_is_signed_with_its_target_and_its_body() {
        let now = "2015-08-30T12:36:00Z".parse().unwrap();
        let call = Call { host: "127.0.0.1:4566", target: "AmazonSQS.SendMessage", body: "{}" };
        let [_, _, (_, target), (_, authorization)] = headers(call, &account(), now);
        assert_eq!(target, "AmazonSQS.SendMessage");
        assert_eq!(
            authorization,
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/sqs/aws4_request, \
             SignedHeaders=content-type;host;x-amz-date;x-amz-target, \
             Signature=28646d06c754cb27810a636ac2d8b4ba7ce3cb9468333804900fc0fe95a76b7d"
        );
        let [_, _, _, (_, other)] = headers(Call { body: "{ }", ..call }, &account(), now);
        assert_ne!(other, authorization);
    }
}
