//! The versions to practise on are patches against the source as it is.

use std::{fs, path::Path, process::Command};

use crate::lab::text;

#[test]
fn every_shipped_version_applies_and_is_listed() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let folder = root.join("deploy/releases");
    let list = fs::read_to_string(folder.join("README.md")).expect("a list");
    let entries = fs::read_dir(&folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let patches: Vec<_> =
        entries.filter(|path| path.extension().is_some_and(|extension| extension == "patch")).collect();
    assert!(patches.len() >= 8, "{patches:?}");
    for patch in patches {
        let name = patch.file_name().and_then(|name| name.to_str()).expect("a name");
        assert!(list.contains(&format!("| `{name}` |")), "deploy/releases/README.md does not list {name}");
        let mut command = Command::new("git");
        let output = command.arg("-C").arg(&root).args(["apply", "--check"]).arg(&patch).output();
        let output = output.expect("git runs");
        assert!(output.status.success(), "{name}: {}", text(&output.stderr));
    }
}
