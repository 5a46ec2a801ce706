//! The Node program that checks LogQL: npm installs its packages once, from the lockfile, below `target/tools`.

use std::{
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    io::{Write, stderr},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio, id},
    sync::OnceLock,
};

use dashgen::check::{
    promql::expand,
    read::{Answer, LogQuery},
};
use serde_json::json;

/// The program's report on these queries, expanded as Grafana sends them; `None` if the test is to be skipped.
///
/// # Panics
/// When `CI` is set and Node or its packages are not available.
pub(crate) fn judge(queries: &[LogQuery]) -> Option<String> {
    static PROGRAM: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    match PROGRAM.get_or_init(install) {
        Ok(program) => {
            let asked: Vec<_> = queries.iter().map(asked).collect();
            let output = run(Command::new("node").arg(program), &json!(asked).to_string());
            let output = output.expect("the program runs");
            let said = String::from_utf8(output.stdout).expect("UTF-8");
            assert!(said.contains(" queries read"), "{said}{}", String::from_utf8_lossy(&output.stderr));
            assert_eq!(output.status.success(), said.ends_with(" 0 wrong\n"), "{said}");
            Some(said)
        }
        Err(problem) => {
            skip(problem);
            None
        }
    }
}

fn asked(query: &LogQuery) -> serde_json::Value {
    let draws = query.draws.map(|draws| match draws {
        Answer::Lines => "lines",
        Answer::Numbers => "numbers",
    });
    json!({ "expr": expand(&query.expr), "draws": draws })
}

fn skip(problem: &str) {
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    let needs = "Node and npm's registry (Debian: apt-get install nodejs npm; macOS: brew install node)";
    let message = format!("{test} needs {needs}: {problem}");
    #[expect(clippy::disallowed_methods, reason = "a test has no command line to configure it by")]
    let ci = std::env::var_os("CI").is_some();
    assert!(!ci, "{message}");
    // Bypasses libtest's capture, which would swallow the line of a passing test.
    let _ = writeln!(stderr(), "SKIPPED: {}", message.lines().next().unwrap_or_default());
}

/// Installs into a folder named after the content. It is filled under another name: several test processes may do
/// so at once.
fn install() -> Result<PathBuf, String> {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files: Vec<_> = fs::read_dir(package.join("logql"))
        .expect("the program")
        .map(|entry| entry.expect("a file").path())
        .filter(|path| path.is_file())
        .collect();
    files.sort();
    let texts: Vec<_> = files.iter().map(|file| fs::read(file).expect("readable")).collect();
    let mut hash = DefaultHasher::new();
    texts.hash(&mut hash);
    let tools = package.join("../../target/tools");
    let folder = tools.join(format!("logql-{:016x}", hash.finish()));
    if !folder.exists() {
        let filling = tools.join(format!("logql-filling-{}", id()));
        fs::create_dir_all(&filling).expect("a folder below target");
        for (file, text) in files.iter().zip(texts) {
            fs::write(filling.join(file.file_name().expect("a name")), text).expect("writable");
        }
        let installed = succeeds(Command::new("npm").args(["ci", "--ignore-scripts"]).current_dir(&filling));
        // If another process was faster, its folder is just as good.
        let moved = installed.map(|()| fs::rename(&filling, &folder).is_ok() || folder.exists());
        let _ = fs::remove_dir_all(&filling);
        assert!(moved?, "{} cannot be filled", folder.display());
    }
    succeeds(Command::new("node").arg("--version"))?;
    Ok(folder.join("check.mjs"))
}

fn succeeds(command: &mut Command) -> Result<(), String> {
    let output = run(command, "")?;
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    if output.status.success() { Ok(()) } else { Err(format!("{command:?}: {said}")) }
}

fn run(command: &mut Command, input: &str) -> Result<Output, String> {
    let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child =
        child.map_err(|error| format!("{} cannot be run: {error}", command.get_program().display()))?;
    // A program that ends before it has read everything explains why.
    let _ = child.stdin.take().expect("a pipe").write_all(input.as_bytes());
    child.wait_with_output().map_err(|error| error.to_string())
}
