//! `./lab`, the script: what it needs on the machine before it runs the command.

use std::{fs, path::Path, process::Command};

use crate::lab::text;

#[test]
fn the_wrapper_needs_no_rust_when_everything_is_built() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path();
    let script = |path: &str, text: &str| {
        let path = root.join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(&path, text).expect("a file");
        Command::new("chmod").arg("+x").arg(&path).status().expect("chmod");
    };
    let wrapper = Path::new(env!("CARGO_MANIFEST_DIR")).join("../lab");
    script("lab", &fs::read_to_string(wrapper).expect("the wrapper"));
    script("cli/src/main.rs", "");
    script("target/release/lab", "#!/bin/sh\necho \"built: $*\"\n");
    let run = |args: &[&str]| {
        let mut command = Command::new(root.join("lab"));
        // No cargo, no compiler, no servers: what every Unix has.
        let bin = root.join("bin");
        fs::create_dir_all(&bin).expect("a folder");
        for name in
            ["sh", "dirname", "find", "uname", "id", "head", "tr", "sed", "grep", "cat", "mv", "touch", "rm"]
        {
            let _ = std::os::unix::fs::symlink(format!("/bin/{name}"), bin.join(name));
        }
        command.args(args).env_clear().env("PATH", &bin).env("HOME", root).output().expect("sh runs")
    };
    for args in [&["status"][..], &["--dir", "elsewhere", "logs", "-f"], &["down"]] {
        let output = run(args);
        assert_eq!(
            text(&output.stdout).trim(),
            format!("built: {}", args.join(" ")),
            "{}",
            text(&output.stderr)
        );
    }
}
