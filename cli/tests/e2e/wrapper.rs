//! `./lab` and its builder, the scripts: what they need of the machine before they run the command, and what they say meanwhile.

use std::{
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use crate::lab::text;

/// A checkout with scripts of the real one, and nothing on PATH but what every Unix has.
struct Checkout(tempfile::TempDir);

impl Checkout {
    fn with(script: &str) -> Self {
        let checkout = Self(tempfile::tempdir().expect("a folder"));
        for script in [script, "tools/servers.sh"] {
            checkout.script(script, &real(script));
        }
        for name in [
            "sh", "dirname", "find", "uname", "id", "head", "tr", "sed", "grep", "cat", "mv", "touch", "rm",
            "tail", "mkdir", "mktemp", "ln", "cp",
        ] {
            let _ = std::os::unix::fs::symlink(format!("/bin/{name}"), checkout.path("bin").join(name));
        }
        checkout
    }

    fn path(&self, name: &str) -> PathBuf {
        let path = self.0.path().join(name);
        let folder = if name == "bin" { &path } else { path.parent().expect("a folder") };
        fs::create_dir_all(folder).expect("a folder");
        path
    }

    fn script(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::write(&path, text).expect("a file");
        Command::new("chmod").arg("+x").arg(&path).status().expect("chmod");
    }

    fn run(&self, script: &str, args: &[&str]) -> Output {
        self.command(script).args(args).output().expect("sh runs")
    }

    fn command(&self, script: &str) -> Command {
        let mut command = Command::new(self.path(script));
        command.env_clear().env("PATH", self.path("bin")).env("HOME", self.0.path());
        command
    }
}

/// The text of a script of the real checkout.
fn real(script: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(script);
    fs::read_to_string(path).expect("the script")
}

#[test]
fn the_wrapper_is_read_in_a_minute() {
    assert!(real("lab").lines().count() <= 80, "move a part of it to tools");
}

#[test]
fn only_a_lab_that_is_started_needs_servers_and_java_only_if_it_is_asked_for() {
    let checkout = Checkout::with("lab");
    for (args, servers) in [
        (&["status"][..], ""),
        (&["up"][..], "run\n"),
        (&["--dir", "x", "up", "--kafka", "apache"][..], "apache\n"),
        (&["torture", "--kafka=apache", "--logs", "opensearch"][..], "apache\nopensearch\n"),
    ] {
        let output = checkout.run("tools/servers.sh", args);
        assert_eq!(text(&output.stdout), servers, "{args:?}: {}", text(&output.stderr));
    }
}

#[test]
fn the_wrapper_needs_no_rust_when_everything_is_built() {
    let checkout = Checkout::with("lab");
    checkout.script("cli/src/main.rs", "");
    checkout.script("target/lab/lab", "#!/bin/sh\necho \"built: $*\"\n");
    for args in [&["status"][..], &["--dir", "elsewhere", "logs", "-f"], &["down"]] {
        let output = checkout.run("lab", args);
        assert_eq!(
            text(&output.stdout).trim(),
            format!("built: {}", args.join(" ")),
            "{}",
            text(&output.stderr)
        );
    }
}

#[test]
fn a_program_that_only_some_labs_start_is_built_when_it_is_asked_for() {
    let checkout = Checkout::with("lab");
    checkout.script("bin/cargo", "#!/bin/sh\n");
    checkout.script("tools/install.sh", "#!/bin/sh\n");
    checkout.script("tools/build.sh", "#!/bin/sh\necho \"build: $*\"\n");
    // What a build would leave.
    let program = "#!/bin/sh\necho \"run: $*\"\n";
    let said = |args: &[&str]| text(&checkout.run("lab", args).stdout);
    checkout.script("target/lab/lab", program);
    assert_eq!(said(&["up"]), "build: \nrun: up\n");
    assert_eq!(said(&["up", "--objects"]), "build: --package lab-objects\nrun: up --objects\n");
    checkout.script("target/lab/lab-objects", program);
    assert_eq!(said(&["up", "--objects"]), "run: up --objects\n", "all is built");
    assert_eq!(
        said(&["up", "--cloud=moto"]),
        "build: --package lab-objects --package notifier\nrun: up --cloud=moto\n"
    );
}

#[test]
fn a_build_without_a_terminal_says_how_far_it_is_and_what_went_wrong() {
    let checkout = Checkout::with("tools/build.sh");
    // Each waits for the other: the bar is drawn before it is looked at, and was looked at before cargo ends.
    checkout.script(
        "bin/cargo",
        r"#!/bin/sh
printf '   Compiling some v1.0.0\n\r\033[K    Building [==>      ] 3/10: some, other(bin)\r' >&2
: >drawn
while [ ! -e told ]; do :; done
printf '\033[Kerror: no such thing\n' >&2
exit 101
",
    );
    checkout.script(
        "bin/sleep",
        r"#!/bin/sh
if [ -e once ]; then : >told; exit 1; fi
while [ ! -e drawn ]; do :; done
: >once
",
    );
    let output = checkout.run("tools/build.sh", &[]);
    assert_eq!(output.status.code(), Some(101), "{output:?}");
    assert_eq!(text(&output.stderr), "lab: built 3 of 10\nerror: no such thing\n");
}

#[test]
fn a_lab_has_one_file_for_its_programs_and_a_release_has_a_file_for_each() {
    let checkout = Checkout::with("tools/build.sh");
    checkout.script(
        "bin/cargo",
        "#!/bin/sh\necho \"$*\" >asked\nmkdir -p target/lab\n: >target/lab/lab-programs\n",
    );
    let asked = || fs::read_to_string(checkout.path("asked")).expect("what cargo was asked for");
    let inode =
        |program: &str| fs::metadata(checkout.path("target/lab").join(program)).map(|file| file.ino());
    for round in ["first", "again"] {
        let output = checkout.run("tools/build.sh", &["--package", "lab-objects"]);
        assert!(output.status.success(), "{round}: {output:?}");
        for program in ["order-api", "load", "control-room"] {
            let same = inode(program).expect(program) == inode("lab-programs").expect("the one file");
            assert!(same, "{round}: {program}");
        }
    }
    let lab = "--package cli --package lab-programs --features lab-programs/one-file --package lab-objects";
    assert!(asked().ends_with(&format!("--bins {lab}\n")), "{}", asked());

    fs::remove_dir_all(checkout.path("target/lab")).expect("removed");
    let mut release = checkout.command("tools/build.sh");
    let output = release.env("LAB_PROFILE", "release").output().expect("sh runs");
    assert!(output.status.success(), "{output:?}");
    assert!(asked().contains("--profile release --bins --package cli --package user-service"), "{}", asked());
    assert!(!asked().contains("lab-programs"), "{}", asked());
    assert!(inode("order-api").is_err(), "cargo makes it");
}

#[test]
fn a_program_is_linked_at_a_fixed_address_and_folded_where_lld_links_and_a_macro_is_not() {
    let checkout = Checkout::with("tools/linker.sh");
    checkout.script("bin/cc", "#!/bin/sh\necho \"$*\"\n");
    for (args, linked) in [
        (&["a.o", "-fuse-ld=lld", "-pie"][..], "a.o -fuse-ld=lld -pie -no-pie -Wl,--icf=all\n"),
        (&["a.o", "-pie", "-o", "a b"][..], "a.o -pie -o a b -no-pie\n"),
        (&["a.o", "-fuse-ld=lld", "-shared"][..], "a.o -fuse-ld=lld -shared\n"),
    ] {
        let output = checkout.run("tools/linker.sh", args);
        assert_eq!(text(&output.stdout), linked, "{}", text(&output.stderr));
    }
}
