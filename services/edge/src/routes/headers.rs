//! Headers on their way through: what belongs to one connection stays behind (RFC 9110, 7.6.1), and the
//! services learn for whom they work.

use std::net::IpAddr;

use chassis_telemetry::traces;
use http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{CONNECTION, EXPECT, HOST, TE, TRAILER, TRANSFER_ENCODING, UPGRADE, VIA},
};
use uuid::Uuid;

/// The id of a request, of the client's choice or made here.
pub(super) static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// How the edge calls itself to both sides.
static SELF: HeaderValue = HeaderValue::from_static("1.1 edge");

static FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
static FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
static FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
/// Of one connection, besides those that `Connection` lists.
static HOP_BY_HOP: [HeaderName; 7] = [
    CONNECTION,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
];

/// The client's id of the request if it is one, else a new one.
pub(super) fn request_id(headers: &HeaderMap) -> String {
    let given = headers.get(&REQUEST_ID).and_then(|id| id.to_str().ok());
    let sound = |id: &&str| (1..=128).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic());
    given.filter(sound).map_or_else(|| Uuid::now_v7().to_string(), str::to_owned)
}

/// Takes out what belongs to the connection.
fn leave_behind(headers: &mut HeaderMap) {
    let listed: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in listed.iter().chain(&HOP_BY_HOP) {
        headers.remove(name);
    }
}

/// The headers of a request, as the services get them.
pub(super) fn inward(headers: &HeaderMap, peer: Option<IpAddr>, id: &str) -> HeaderMap {
    let mut headers = headers.clone();
    leave_behind(&mut headers);
    // The body is here already.
    headers.remove(EXPECT);
    if let Some(peer) = peer.and_then(|peer| HeaderValue::from_str(&peer.to_string()).ok()) {
        headers.append(&FORWARDED_FOR, peer);
    }
    if let Some(host) = headers.get(HOST).cloned() {
        headers.insert(&FORWARDED_HOST, host);
    }
    headers.insert(&FORWARDED_PROTO, HeaderValue::from_static("http"));
    headers.append(VIA, SELF.clone());
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert(&REQUEST_ID, id);
    }
    headers
}

/// The trace of an attempt, of which the current span is part. What the client says of the subject is passed on
/// unchanged.
pub(super) fn trace(client: &HeaderMap) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in traces::inject() {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value))
            && !(name == traces::BAGGAGE && client.contains_key(&name))
        {
            headers.insert(name, value);
        }
    }
    headers
}

/// The headers of an answer, as the client gets them; `relayed`: it came from a service.
pub(super) fn outward(headers: &mut HeaderMap, relayed: bool, id: &str) {
    if relayed {
        leave_behind(headers);
    }
    headers.append(VIA, SELF.clone());
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert(&REQUEST_ID, id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(list: &[(&'static str, &'static str)]) -> HeaderMap {
        list.iter()
            .map(|&(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect()
    }

    #[test]
    fn what_belongs_to_the_connection_stays_behind() {
        let sent = headers(&[
            ("connection", "close, X-Secret"),
            ("x-secret", "1"),
            ("keep-alive", "timeout=5"),
            ("upgrade", "h2c"),
            ("te", "trailers"),
            ("expect", "100-continue"),
            ("host", "localhost:8000"),
            ("accept", "*/*"),
        ]);
        let inward = inward(&sent, Some([192, 0, 2, 7].into()), "id-1");
        for gone in ["connection", "x-secret", "keep-alive", "upgrade", "te", "expect"] {
            assert!(!inward.contains_key(gone), "{gone}");
        }
        for (name, value) in [
            ("host", "localhost:8000"),
            ("accept", "*/*"),
            ("x-forwarded-for", "192.0.2.7"),
            ("x-forwarded-host", "localhost:8000"),
            ("x-forwarded-proto", "http"),
            ("x-request-id", "id-1"),
            ("via", "1.1 edge"),
        ] {
            assert_eq!(inward.get(name).and_then(|found| found.to_str().ok()), Some(value), "{name}");
        }
    }

    #[test]
    fn a_sound_id_of_the_client_is_kept() {
        assert_eq!(request_id(&headers(&[("x-request-id", "abc-123")])), "abc-123");
        let long: &'static str = "x".repeat(129).leak();
        for unsound in ["", "two words", long] {
            let made = request_id(&headers(&[("x-request-id", unsound)]));
            assert!(made.parse::<Uuid>().is_ok(), "{made}");
        }
    }
}
