//! The format of manifests: read as written, and refused in sentences.

use recovery::{File, Lsn, Manifest};

use crate::history::backup;

fn manifest() -> Manifest {
    let file = File {
        name: "base.tar.zst.sealed".to_owned(),
        bytes: 1_000,
        sha256: "ab".repeat(32),
        content_bytes: 9_000,
    };
    Manifest { files: vec![file], ..backup(10, 1, 3, None).manifest }
}

#[test]
fn a_manifest_is_read_as_it_is_written() {
    let text = manifest().text().unwrap();
    assert_eq!(Manifest::read(&text), Ok(manifest()));
    assert!(text.contains("\"start\": \"0/C00028\""), "places are written as PostgreSQL does: {text}");
}

#[test]
fn another_version_is_refused_before_anything_else_is_read() {
    let error = Manifest::read(r#"{"version": 2, "whatever": true}"#).unwrap_err();
    assert_eq!(error, "it is of version 2, and this program reads version 1: use the program that wrote it");
    assert!(Manifest::read("").unwrap_err().starts_with("no manifest: "));
}

#[test]
fn a_manifest_that_contradicts_itself_or_leads_out_of_its_folder_is_refused() {
    let refused = |change: fn(&mut Manifest)| {
        let mut manifest = manifest();
        change(&mut manifest);
        Manifest::read(&manifest.text().unwrap()).expect_err("refused")
    };
    assert!(
        refused(|manifest| manifest.segment_bytes = 3 << 20).contains("is not the size of a WAL segment")
    );
    assert!(refused(|manifest| manifest.stop = Lsn(1)).starts_with("it stops at 0/1 before it starts at"));
    assert!(
        refused(|manifest| manifest.ended = manifest.began - chrono::TimeDelta::seconds(1)).contains("ended")
    );
    for name in ["../secrets", ".hidden", "", "a/b", "a\0"] {
        let mut manifest = manifest();
        manifest.files[0].name = name.to_owned();
        let error = Manifest::read(&manifest.text().unwrap()).unwrap_err();
        assert!(error.ends_with("is not a plain name"), "{name:?}: {error}");
        manifest.files.clear();
        manifest.id = name.to_owned();
        assert!(Manifest::read(&manifest.text().unwrap()).is_err(), "{name:?}");
    }
}
