//! The provider `srelab` and `deploy/terraform`, by OpenTofu, which is built once from the Go module proxy.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};

use crate::shell::{Shell, finish};

const VERSION: &str = "github.com/opentofu/opentofu@v1.12.6";

/// What the suite runs of it: everything if OpenTofu was built before, otherwise only the provider's own tests, as building
/// OpenTofu takes longer than all of them.
pub(crate) fn quick(shell: &Shell) -> Result<()> {
    if let Some(why) = missing(shell) {
        return shell.skip("terraform", why);
    }
    let tofu = tofu(shell);
    if tofu.exists() {
        return finish(shell.command("tests/terraform/run", &[]).env("TOFU", tofu));
    }
    println!(
        "the provider's own tests; `cargo xtask terraform` applies deploy/terraform to a lab, with OpenTofu"
    );
    shell.run("tests/terraform/run", &["provider"])
}

/// Runs `tests/terraform/run`; without OpenTofu, only the tests that the provider has by itself.
pub(crate) fn check(shell: &Shell) -> Result<()> {
    if let Some(why) = missing(shell) {
        return shell.skip("terraform", why);
    }
    let tofu = tofu(shell);
    if !tofu.exists() {
        println!("building {VERSION} (once; a few minutes)");
        if let Err(error) = build(shell, &tofu) {
            finish(shell.command("tests/terraform/run", &["provider"]).env_remove("CI"))?;
            return shell.skip("deploy/terraform", &format!("OpenTofu cannot be built here: {error:#}"));
        }
    }
    finish(shell.command("tests/terraform/run", &[]).env("TOFU", tofu))
}

/// Why the provider cannot be built here; `None` if it can. Its modules come from the network the first time.
fn missing(shell: &Shell) -> Option<&'static str> {
    if !shell.quietly("go", &["version"]) {
        return Some("go is not installed");
    }
    let downloaded = shell.quietly("go", &["-C", "tools/terraform-provider-srelab", "mod", "download"]);
    (!downloaded).then_some("the modules of the provider cannot be had here")
}

/// Where OpenTofu is, once it is built.
fn tofu(shell: &Shell) -> PathBuf {
    shell.tools().join(format!("tofu-{}", VERSION.rsplit('@').next().unwrap_or_default()))
}

/// In a copy of its own module, because `go install` refuses a module with replacements, and Go's cache is read-only.
fn build(shell: &Shell, tofu: &Path) -> Result<()> {
    let answer = shell.output("go", &["mod", "download", "-json", VERSION])?;
    let folder = folder(&answer).context("go names no folder of the module")?;
    let source = shell.tools().join("tofu-source");
    // Of a build that was interrupted.
    if source.exists() {
        fs::remove_dir_all(&source)?;
    }
    fs::create_dir_all(shell.tools())?;
    finish(shell.command("cp", &["-r", folder]).arg(&source))?;
    finish(shell.command("chmod", &["-R", "u+w"]).arg(&source))?;
    let mut go = shell.command("nice", &["-n", "10", "go", "build", "-ldflags", "-s -w", "-o"]);
    finish(go.arg(tofu).arg("./cmd/tofu").current_dir(&source))?;
    Ok(fs::remove_dir_all(&source)?)
}

/// The folder in the answer of `go mod download -json`.
fn folder(answer: &str) -> Option<&str> {
    answer.lines().find_map(|line| line.trim().strip_prefix("\"Dir\": \"")?.split('"').next())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_of_a_module_is_read() {
        let answer =
            "{\n\t\"Path\": \"example.org/m\",\n\t\"Dir\": \"/go/pkg/mod/example.org/m@v1.0.0\",\n}\n";
        assert_eq!(folder(answer), Some("/go/pkg/mod/example.org/m@v1.0.0"));
        assert_eq!(folder("{\n\t\"Error\": \"no network\"\n}"), None);
    }
}
