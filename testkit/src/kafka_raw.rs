//! Messages that no client library would write, byte by byte: a Produce request (version 3) with one record batch
//! (magic 2).
//!
//! The format: <https://kafka.apache.org/protocol> and <https://kafka.apache.org/documentation/#recordbatch>.

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// Header names and values as bytes.
pub(crate) type RawHeaders<'a> = &'a [(&'a [u8], &'a [u8])];

/// Sends one record without a key and waits for the acknowledgement.
pub(crate) async fn publish(
    broker: &str,
    topic: &str,
    partition: i32,
    payload: &[u8],
    headers: RawHeaders<'_>,
) {
    let mut stream = TcpStream::connect(broker).await.expect("a connection to the broker");
    let request = request(topic, partition, &batch(payload, headers));
    stream.write_all(&sized(&request)).await.expect("the broker reads");
    let length = stream.read_i32().await.expect("the broker answers");
    let mut answer = vec![0; usize::try_from(length).expect("a length")];
    stream.read_exact(&mut answer).await.expect("a whole answer");
    // Correlation id, one topic with its name, one partition with its index, then the error.
    let error = 4 + 4 + 2 + topic.len() + 4 + 4;
    assert_eq!(answer[error..error + 2], [0, 0], "the broker refused the record: {answer:?}");
}

fn request(topic: &str, partition: i32, batch: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let text = |bytes: &mut Vec<u8>, text: &str| {
        bytes.extend(i16::try_from(text.len()).expect("a short text").to_be_bytes());
        bytes.extend(text.as_bytes());
    };
    // Produce, version 3, correlation id, client id.
    bytes.extend([0, 0, 0, 3, 0, 0, 0, 1]);
    text(&mut bytes, "testkit");
    // No transaction, all replicas, ten seconds, one topic.
    bytes.extend((-1_i16).to_be_bytes());
    bytes.extend((-1_i16).to_be_bytes());
    bytes.extend(10_000_i32.to_be_bytes());
    bytes.extend(1_i32.to_be_bytes());
    text(&mut bytes, topic);
    bytes.extend(1_i32.to_be_bytes());
    bytes.extend(partition.to_be_bytes());
    bytes.extend(sized(batch));
    bytes
}

fn batch(payload: &[u8], headers: RawHeaders<'_>) -> Vec<u8> {
    let mut checked = Vec::new();
    // Attributes, last offset, first and last time, no producer id, epoch and sequence, one record.
    checked.extend([0; 2 + 4 + 8 + 8]);
    checked.extend([0xff; 8 + 2 + 4]);
    checked.extend(1_i32.to_be_bytes());
    checked.extend(with_length(&record(payload, headers)));

    let mut bytes = vec![0; 8];
    // From the leader's epoch on.
    let length = 4 + 1 + 4 + checked.len();
    bytes.extend(i32::try_from(length).expect("a short batch").to_be_bytes());
    bytes.extend((-1_i32).to_be_bytes());
    bytes.push(2);
    bytes.extend(crc32c(&checked).to_be_bytes());
    bytes.extend(checked);
    bytes
}

fn record(payload: &[u8], headers: RawHeaders<'_>) -> Vec<u8> {
    // Attributes, time and offset within the batch.
    let mut bytes = vec![0, 0, 0];
    bytes.extend(varint(-1));
    bytes.extend(with_length(payload));
    bytes.extend(varint(i64::try_from(headers.len()).expect("few headers")));
    for (name, value) in headers {
        bytes.extend(with_length(name));
        bytes.extend(with_length(value));
    }
    bytes
}

fn sized(bytes: &[u8]) -> Vec<u8> {
    let length = i32::try_from(bytes.len()).expect("not too long").to_be_bytes();
    [length.as_slice(), bytes].concat()
}

fn with_length(bytes: &[u8]) -> Vec<u8> {
    [varint(i64::try_from(bytes.len()).expect("not too long")).as_slice(), bytes].concat()
}

/// Zigzag, seven bits per byte.
fn varint(value: i64) -> Vec<u8> {
    let mut rest = ((value << 1) ^ (value >> 63)).cast_unsigned();
    let mut bytes = Vec::new();
    while rest >= 0x80 {
        bytes.push(rest.to_le_bytes()[0] | 0x80);
        rest >>= 7;
    }
    bytes.push(rest.to_le_bytes()[0]);
    bytes
}

/// Castagnoli.
fn crc32c(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| (crc >> 1) ^ (0x82f6_3b78 & (crc & 1).wrapping_neg()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_and_numbers_are_those_of_their_definitions() {
        assert_eq!(crc32c(b"123456789"), 0xe306_9283);
        assert_eq!((varint(0), varint(-1), varint(300)), (vec![0], vec![1], vec![0xd8, 4]));
    }
}
