//! Examples in documentation comments. rustdoc looks at each crate for itself, which takes a while even if none has an example.

use std::fs;

use anyhow::{Context, Result};

use crate::shell::Shell;

/// Runs all of them, if there are any.
pub(crate) fn check(shell: &Shell) -> Result<()> {
    for name in shell.files(&["*.rs"])? {
        let text = fs::read_to_string(shell.root.join(&name)).with_context(|| format!("reading {name}"))?;
        if has_example(&text) {
            println!("{name} has one");
            return shell.run("cargo", &["test", "--locked", "--quiet", "--workspace", "--doc"]);
        }
    }
    println!("there are none");
    Ok(())
}

/// Whether rustdoc would compile something: a block that is indented, or fenced and of no other language.
fn has_example(text: &str) -> bool {
    let comments = text.lines().filter_map(|line| {
        let line = line.trim_start();
        line.strip_prefix("///").or_else(|| line.strip_prefix("//!"))
    });
    let mut fenced = false;
    for comment in comments {
        let Some(language) = comment.trim_start().strip_prefix("```") else {
            if !fenced && comment.starts_with("     ") {
                return true;
            }
            continue;
        };
        if !fenced && is_rust(language.trim()) {
            return true;
        }
        fenced = !fenced;
    }
    false
}

fn is_rust(language: &str) -> bool {
    let words = ["rust", "should_panic", "no_run", "ignore", "compile_fail"];
    language.is_empty() || language.split(',').any(|word| words.contains(&word.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_example_is_what_rustdoc_would_compile() {
        for example in
            ["//! ```\n//! f();\n//! ```", "    /// ```no_run\n    /// ```", "/// So:\n///\n///     f();"]
        {
            assert!(has_example(example), "{example}");
        }
        for none in
            ["//! ```text\n//!     a -> b\n//! ```", "/// - a list\n///   that goes on", "// ```\nfn f() {}"]
        {
            assert!(!has_example(none), "{none}");
        }
    }
}
