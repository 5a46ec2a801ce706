//! The store alone: what it keeps, in which order, and what is left after the process has died.

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;

const QUOTA: u64 = 64 << 20;

fn meta(key: &str, bytes: &[u8]) -> Meta {
    Meta {
        key: key.to_owned(),
        size: bytes.len() as u64,
        etag: hex::encode(<md5::Md5 as md5::Digest>::digest(bytes)),
        modified: Utc::now(),
        marker: false,
        headers: BTreeMap::new(),
    }
}

fn opened(folder: &TempDir) -> Store {
    Store::open(folder.path(), QUOTA).unwrap()
}

fn fresh() -> (TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = opened(&folder);
    store.create_bucket("box").unwrap();
    (folder, store)
}

fn put(store: &Store, key: &str, bytes: &[u8]) -> Result<Record, S3Error> {
    put_if(store, key, bytes, &Expect::default())
}

fn put_if(store: &Store, key: &str, bytes: &[u8], expect: &Expect) -> Result<Record, S3Error> {
    let temp = store.temp();
    fs::write(temp.path(), bytes).unwrap();
    store.put("box", meta(key, bytes), temp, expect)
}

fn bytes(store: &Store, key: &str, version: Option<&str>) -> Result<Vec<u8>, S3Error> {
    use std::io::Read as _;
    let (record, file) = store.read("box", key, version)?;
    let mut bytes = Vec::new();
    file.take(record.meta.size).read_to_end(&mut bytes).unwrap();
    Ok(bytes)
}

fn versioned(store: &Store) {
    store.configure("box", |settings| settings.versioning = Versioning::Enabled).unwrap();
}

fn files(folder: &Path) -> usize {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| if entry.path().is_dir() { files(&entry.path()) } else { 1 }).sum()
}

#[test]
fn what_was_acknowledged_is_there_after_the_process_has_died() {
    let (folder, store) = fresh();
    put(&store, "a/b", b"one").unwrap();
    put(&store, "a/b", b"two").unwrap();
    let half = store.temp();
    fs::write(half.path(), b"half").unwrap();
    // As SIGKILL does: nothing is dropped in order.
    std::mem::forget(half);
    drop(store);
    let store = opened(&folder);
    assert_eq!(bytes(&store, "a/b", None).unwrap(), b"two");
    assert_eq!(store.size(), (1, 3));
    assert_eq!(files(&folder.path().join("tmp")), 0);
    put(&store, "a/b", b"three").unwrap();
    assert_eq!(bytes(&store, "a/b", None).unwrap(), b"three");
}

#[test]
fn of_a_replaced_and_its_replacement_only_the_newer_stays_after_a_kill_between() {
    let (folder, store) = fresh();
    let old = put(&store, "k", b"old").unwrap();
    let path = store.path("box", &old);
    let kept = fs::read(&path).unwrap();
    put(&store, "k", b"new").unwrap();
    fs::write(&path, kept).unwrap();
    drop(store);
    let store = opened(&folder);
    assert_eq!(bytes(&store, "k", None).unwrap(), b"new");
    assert_eq!(store.size(), (1, 3));
    assert!(!path.exists());
}

#[test]
fn a_damaged_file_is_set_aside_and_the_others_are_served() {
    let (folder, store) = fresh();
    let bad = store.path("box", &put(&store, "bad", b"bad").unwrap());
    put(&store, "good", b"good").unwrap();
    fs::write(bad, b"x").unwrap();
    drop(store);
    let store = opened(&folder);
    assert_eq!(bytes(&store, "good", None).unwrap(), b"good");
    assert_eq!(bytes(&store, "bad", None).unwrap_err().code, Code::NoSuchKey);
    assert_eq!(files(&folder.path().join("damaged")), 1);
}

#[test]
fn a_second_process_is_refused_the_folder() {
    let (folder, _store) = fresh();
    let error = Store::open(folder.path(), QUOTA).err().expect("the folder is taken");
    assert!(error.to_string().contains("another process"), "{error}");
}

#[test]
fn versions_are_kept_hidden_and_removed_one_by_one() {
    let (folder, store) = fresh();
    put(&store, "k", b"null").unwrap();
    versioned(&store);
    let first = put(&store, "k", b"first").unwrap().version();
    let marker = store.delete("box", "k", None, &Expect::default(), Utc::now()).unwrap().unwrap();
    assert_eq!(bytes(&store, "k", None).unwrap_err().code, Code::NoSuchKey);
    assert_eq!(bytes(&store, "k", Some("null")).unwrap(), b"null");
    assert_eq!(bytes(&store, "k", Some(&first)).unwrap(), b"first");
    assert_eq!(bytes(&store, "k", Some(&marker.version())).unwrap_err().code, Code::MethodNotAllowed);
    drop(store);
    let store = opened(&folder);
    store.delete("box", "k", Some(&marker.version()), &Expect::default(), Utc::now()).unwrap();
    assert_eq!(bytes(&store, "k", None).unwrap(), b"first");
    assert_eq!(store.delete_bucket("box").unwrap_err().code, Code::BucketNotEmpty);
    for version in [first.as_str(), "null"] {
        store.delete("box", "k", Some(version), &Expect::default(), Utc::now()).unwrap();
    }
    assert_eq!(store.size(), (0, 0));
    store.delete_bucket("box").unwrap();
    assert!(store.buckets().is_empty());
}

#[test]
fn a_condition_is_checked_against_the_current_version() {
    let (_folder, store) = fresh();
    let absent = Expect { absent: true, ..Expect::default() };
    let first = put_if(&store, "k", b"first", &absent).unwrap();
    assert_eq!(put_if(&store, "k", b"x", &absent).unwrap_err().code, Code::PreconditionFailed);
    let same = Expect { matches: Some(first.meta.etag), absent: false };
    put_if(&store, "k", b"second", &same).unwrap();
    assert_eq!(put_if(&store, "k", b"x", &same).unwrap_err().code, Code::PreconditionFailed);
    assert_eq!(put_if(&store, "none", b"x", &same).unwrap_err().code, Code::NoSuchKey);
    assert_eq!(bytes(&store, "k", None).unwrap(), b"second");
}

#[test]
fn of_many_writers_that_expect_nothing_exactly_one_wins() {
    let (_folder, store) = fresh();
    let absent = Expect { absent: true, ..Expect::default() };
    let write = || put_if(&store, "lock", b"mine", &absent).is_ok();
    let won: usize = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..8).map(|_| scope.spawn(write)).collect();
        writers.into_iter().map(|writer| usize::from(writer.join().unwrap())).sum()
    });
    assert_eq!(won, 1);
}

#[test]
fn a_full_store_refuses_writes_and_takes_them_again_after_a_delete() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), 10).unwrap();
    store.create_bucket("box").unwrap();
    put(&store, "a", b"12345678").unwrap();
    assert_eq!(put(&store, "b", b"123").unwrap_err().code, Code::QuotaExceeded);
    store.delete("box", "a", None, &Expect::default(), Utc::now()).unwrap();
    put(&store, "b", b"123").unwrap();
    assert_eq!(files(&folder.path().join("tmp")), 0);
}

#[test]
fn lifecycle_rules_end_objects_old_versions_and_uploads() {
    let (_folder, store) = fresh();
    versioned(&store);
    let rule = Rule {
        id: "short".to_owned(),
        enabled: true,
        prefix: "tmp/".to_owned(),
        days: Some(2),
        noncurrent_days: Some(1),
        abort_days: Some(1),
    };
    store.configure("box", |settings| settings.lifecycle = vec![rule]).unwrap();
    let day = std::time::Duration::from_secs(60);
    put(&store, "tmp/a", b"old").unwrap();
    put(&store, "tmp/a", b"new").unwrap();
    put(&store, "keep", b"kept").unwrap();
    store.begin("box", "tmp/b", BTreeMap::new()).unwrap();
    let after = |seconds| Utc::now() + chrono::TimeDelta::seconds(seconds);
    assert_eq!(store.expire(after(30), day).unwrap(), 0);
    assert_eq!(store.expire(after(61), day).unwrap(), 2, "the old version and the upload");
    assert_eq!(bytes(&store, "tmp/a", None).unwrap(), b"new");
    assert_eq!(store.expire(after(121), day).unwrap(), 1);
    assert_eq!(bytes(&store, "tmp/a", None).unwrap_err().code, Code::NoSuchKey);
    assert_eq!(bytes(&store, "keep", None).unwrap(), b"kept");
    assert_eq!(store.expire(after(1000), day).unwrap(), 1, "what is behind the marker");
    assert_eq!(store.expire(after(1000), day).unwrap(), 1, "the marker itself");
    assert_eq!(store.size(), (1, 4));
}

/// A listing without paging: what the pages must add up to.
fn expected(keys: &[String], prefix: &str, delimiter: &str) -> (Vec<String>, Vec<String>) {
    let (mut plain, mut common) = (Vec::new(), Vec::new());
    let mut sorted: Vec<&String> = keys.iter().filter(|key| key.starts_with(prefix)).collect();
    sorted.sort();
    sorted.dedup();
    for key in sorted {
        match key[prefix.len()..].find(delimiter) {
            Some(at) if !delimiter.is_empty() => common.push(key[..prefix.len() + at + 1].to_owned()),
            _ => plain.push(key.clone()),
        }
    }
    common.dedup();
    (plain, common)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn pages_add_up_to_the_bucket(
        keys in proptest::collection::vec("[ab/]{1,5}", 1..12),
        prefix in "[ab/]{0,2}",
        delimiter in "/?",
        limit in 1_usize..4,
    ) {
        let (_folder, store) = fresh();
        for key in &keys {
            put(&store, key, b"x").unwrap();
        }
        let (mut plain, mut common) = (Vec::new(), Vec::new());
        let mut asked = Asked { prefix: prefix.clone(), delimiter: delimiter.clone(), after: String::new(), limit };
        loop {
            let page = store.list("box", &asked).unwrap();
            prop_assert!(page.records.len() + page.prefixes.len() <= limit);
            plain.extend(page.records.into_iter().map(|record| record.meta.key));
            common.extend(page.prefixes);
            match page.next {
                Some(next) => asked.after = next,
                None => break,
            }
        }
        prop_assert_eq!((plain, common), expected(&keys, &prefix, &delimiter));
    }
}
