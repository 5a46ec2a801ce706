//! The encrypted format: whatever happens to a file, it is opened as it was, or refused.

use std::io::{Read, Write};

use proptest::{collection::vec, prelude::*, sample::select};
use recovery::{
    Key,
    seal::{Opener, Sealer},
};

fn key(byte: u8) -> Key {
    Key::new([byte; 32])
}

fn seal(text: &[u8], name: &str) -> Vec<u8> {
    let mut sealer = Sealer::new(Vec::new(), &key(1), [7; 19], name).expect("a name that is short");
    sealer.write_all(text).expect("memory");
    sealer.finish().expect("memory")
}

fn open(sealed: &[u8], key: &Key, name: &str) -> Result<Vec<u8>, String> {
    let mut text = Vec::new();
    let mut opener = Opener::new(sealed, key, name).map_err(|error| error.to_string())?;
    opener.read_to_end(&mut text).map_err(|error| error.to_string())?;
    Ok(text)
}

/// Lengths around the ends of chunks, where formats are wrong.
const LENGTHS: &[usize] = &[0, 1, 65_535, 65_536, 65_537, 131_071, 131_072, 131_073, 200_000];

#[test]
fn every_length_comes_back() {
    for length in LENGTHS {
        let text: Vec<u8> = (0..*length).map(|at| u8::try_from(at % 251).unwrap()).collect();
        assert_eq!(open(&seal(&text, "base"), &key(1), "base"), Ok(text), "{length}");
    }
}

#[test]
fn another_key_is_named_and_another_name_refused() {
    let sealed = seal(b"orders", "base");
    let error = open(&sealed, &key(2), "base").unwrap_err();
    assert!(error.contains(&key(1).id()) && error.contains(&key(2).id()), "{error}");
    assert!(open(&sealed, &key(1), "other").unwrap_err().contains("belongs to another name"));
    assert_eq!(
        open(b"something else entirely, of some length", &key(1), "base").unwrap_err(),
        "it is cut short"
    );
    let other = open(&[b'x'; 60], &key(1), "base").unwrap_err();
    assert_eq!(other, "it is not an encrypted file of a backup");
}

#[test]
fn a_key_is_read_from_its_text_and_never_shown() {
    let one = key(0xAB);
    assert_eq!(Key::read(&format!("{}\n", one.text())), Ok(one.clone()));
    assert!(!format!("{one:?}").contains(&one.text()));
    assert_ne!(one.id(), key(0xAC).id());
    for text in ["", "abc", "zz", &"ab".repeat(31)] {
        assert_eq!(Key::read(text), Err("expected a key: 64 hexadecimal digits".to_owned()));
    }
}

#[test]
fn the_text_is_not_in_the_file() {
    let sealed = seal(&b"a recognizable sentence ".repeat(50), "base");
    assert!(!sealed.windows(12).any(|window| window == b"recognizable"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_changed_byte_is_found_wherever_it_is(length in select(LENGTHS), at in any::<usize>(), bit in 0..8_u8) {
        let mut sealed = seal(&vec![3; length], "base");
        let at = at % sealed.len();
        sealed[at] ^= 1 << bit;
        prop_assert!(open(&sealed, &key(1), "base").is_err());
    }

    #[test]
    fn a_cut_is_found_wherever_it_is(length in select(LENGTHS), left in any::<usize>()) {
        let sealed = seal(&vec![3; length], "base");
        prop_assert!(open(&sealed[..left % sealed.len()], &key(1), "base").is_err());
    }

    #[test]
    fn chunks_cannot_be_dropped_repeated_or_swapped(order in vec(0..4_usize, 0..6)) {
        let text: Vec<u8> = (0..4_u8).flat_map(|part| vec![part; 65_536]).collect();
        let sealed = seal(&text, "base");
        let (header, chunks) = sealed.split_at(40);
        let chunks: Vec<&[u8]> = chunks.chunks(65_536 + 16).collect();
        prop_assert_eq!(chunks.len(), 4);
        let forged: Vec<u8> = header.iter().chain(order.iter().flat_map(|at| chunks[*at])).copied().collect();
        prop_assert_eq!(open(&forged, &key(1), "base").is_ok(), order == [0, 1, 2, 3]);
    }

    #[test]
    fn it_does_not_matter_in_which_pieces_it_is_written(pieces in vec(0..90_000_usize, 0..6)) {
        let length: usize = pieces.iter().sum();
        let text: Vec<u8> = (0..length).map(|at| u8::try_from(at % 253).unwrap_or(0)).collect();
        let mut sealer = Sealer::new(Vec::new(), &key(1), [7; 19], "base").unwrap();
        let mut at = 0;
        for piece in &pieces {
            sealer.write_all(&text[at..at + piece]).unwrap();
            at += piece;
        }
        prop_assert_eq!(sealer.finish().unwrap(), seal(&text, "base"));
    }
}
