//! `docs/configuration.md`: every flag and variable of every process, from clap's definitions.

use std::fmt::Write as _;

use clap::{Arg, Command};

const INTRO: &str = "# Configuration

Every setting is a flag and an environment variable; the flag wins. Durations and sizes carry their
unit (`250ms`, `5s`, `10m`; `64KiB`, `256MiB`). An invalid setting ends the process with exit code 64
and a line that names the variable, the value and what was expected. Each process prints the same
text with `--help`. `lab up --help` has the settings of a lab, and `deploy/helm/sre-lab/values.yaml`
those of the chart.

<!-- Generated from the code by `just generate`; `./lab test` fails when it differs. -->
";

/// The page for `commands`, in the order given.
pub(crate) fn page(commands: &[Command]) -> String {
    let mut out = INTRO.to_owned();
    for command in commands {
        let _ = write!(out, "\n## {}\n\n{}\n\n", command.get_name(), about(command));
        table(&mut out, command);
        for sub in command.get_subcommands() {
            let _ = write!(out, "\n### {} {}\n\n{}\n\n", command.get_name(), sub.get_name(), about(sub));
            table(&mut out, sub);
        }
    }
    out
}

fn about(command: &Command) -> String {
    command.get_about().map(ToString::to_string).unwrap_or_default()
}

fn table(out: &mut String, command: &Command) {
    let mut args: Vec<&Arg> =
        command.get_arguments().filter(|a| a.get_long().is_some() && !hidden(a)).collect();
    if args.is_empty() {
        return;
    }
    args.sort_by_key(|a| a.get_long());
    out.push_str("| variable | flag | default | meaning |\n|---|---|---|---|\n");
    for arg in args {
        let env = arg.get_env().map_or_else(|| "-".to_owned(), |e| format!("`{}`", e.to_string_lossy()));
        let flag = arg.get_long().unwrap_or_default();
        let _ = writeln!(out, "| {env} | `--{flag}` | {} | {} |", default_of(arg), meaning(arg));
    }
}

fn hidden(arg: &Arg) -> bool {
    arg.is_hide_set() || matches!(arg.get_id().as_str(), "help" | "version")
}

fn default_of(arg: &Arg) -> String {
    let values: Vec<_> = arg.get_default_values().iter().map(|v| v.to_string_lossy().into_owned()).collect();
    match (values.is_empty(), arg.is_required_set()) {
        (false, _) => format!("`{}`", values.join(",")),
        (true, true) => "required".to_owned(),
        (true, false) => "-".to_owned(),
    }
}

fn meaning(arg: &Arg) -> String {
    let text = arg.get_help().map(ToString::to_string).unwrap_or_default();
    let words: Vec<String> = arg
        .get_possible_values()
        .iter()
        .filter(|v| !v.is_hide_set())
        .map(|v| format!("`{}`", v.get_name()))
        .collect();
    let words = if words.is_empty()
        || !arg.get_action().takes_values()
        || words.len() == 2 && text.contains(&words[0])
    {
        String::new()
    } else {
        format!(". One of {}", words.join(", "))
    };
    format!("{}{words}", text.replace('|', "\\|").replace('\n', " "))
}
