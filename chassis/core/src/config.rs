//! Configuration from flags and environment, parsed once by clap; `--help` lists every variable.

use std::fmt;

pub use chassis_text::{byte_size, ratio};

/// Exit code for bad configuration, `EX_USAGE` of sysexits(3).
pub const EXIT_USAGE: u8 = 64;

/// A variable whose value turned out to be wrong only when it was used: `exit_code` of `chassis-service` makes it
/// [`EXIT_USAGE`] too.
#[derive(Debug, thiserror::Error)]
#[error("{variable}: {expected}")]
pub struct Invalid {
    variable: &'static str,
    expected: String,
}

impl Invalid {
    /// `expected` says what is wrong with the value and what is valid.
    pub fn new(variable: &'static str, expected: impl fmt::Display) -> Self {
        Self { variable, expected: expected.to_string() }
    }
}

/// Parses flags and environment into `C`; an empty variable counts as absent. Bad input: prints which variable has what
/// value and what was expected, and exits with [`EXIT_USAGE`].
#[must_use]
pub fn parse<C: clap::Parser>() -> C {
    let command = C::command().mut_args(without_empty_variable);
    let parsed =
        command.clone().try_get_matches().and_then(|mut matches| C::from_arg_matches_mut(&mut matches));
    parsed.unwrap_or_else(|error| {
        let code = if error.use_stderr() {
            eprintln!("{}", explain(&error, &command));
            EXIT_USAGE
        } else {
            // `--help` and `--version` arrive as errors too.
            let _ = error.print();
            0
        };
        #[expect(clippy::disallowed_methods, reason = "called by main before anything runs")]
        std::process::exit(code.into())
    })
}

/// Charts and compose files pass unset values as empty variables; clap would take them as empty strings.
fn without_empty_variable(arg: clap::Arg) -> clap::Arg {
    #[expect(clippy::disallowed_methods, reason = "this is the one place")]
    let empty = arg.get_env().and_then(std::env::var_os).is_some_and(|value| value.is_empty());
    if empty { arg.env(clap::builder::Resettable::Reset) } else { arg }
}

/// Clap names the flag; operators set variables, so name that too.
fn explain(error: &clap::Error, command: &clap::Command) -> String {
    use clap::error::{ContextKind, ContextValue};
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        _ => None,
    };
    let flag = text(ContextKind::InvalidArg).unwrap_or_default();
    let argument = command.get_arguments().find(|arg| {
        let long = arg.get_long().map(|long| format!("--{long}"));
        long.is_some() && flag.split([' ', '=']).next() == long.as_deref()
    });
    let variable = argument.and_then(clap::Arg::get_env);
    let secret = argument.is_some_and(clap::Arg::is_hide_env_values_set);
    let reason = error.render().to_string();
    match (variable, text(ContextKind::InvalidValue)) {
        (Some(variable), Some(value)) => {
            let why = std::error::Error::source(error).map(|why| format!(": {why}")).unwrap_or_default();
            let possible = match error.get(ContextKind::ValidValue) {
                Some(ContextValue::Strings(values)) => format!(": expected one of {}", values.join(", ")),
                _ => String::new(),
            };
            let value = if secret { "what it is set to".to_owned() } else { format!("{value:?}") };
            format!("{} ({flag}) cannot be {value}{why}{possible}", variable.display())
        }
        _ => reason.trim_end().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{CommandFactory, Parser};

    #[derive(Debug, Parser)]
    struct Service {
        #[arg(long, env = "SHARE", default_value_t = 1.0, value_parser = ratio)]
        share: f64,
        #[arg(long, env = "FORMAT", default_value = "json", value_parser = ["json", "pretty"])]
        format: String,
        #[arg(long, env = "PATIENCE", default_value = "5s", value_parser = humantime::parse_duration)]
        patience: std::time::Duration,
    }

    fn refused(flag: &str) -> String {
        let error = Service::try_parse_from(["service", flag]).expect_err("bad input");
        explain(&error, &Service::command())
    }

    #[test]
    fn a_bad_value_is_named_with_its_variable_and_what_was_expected() {
        let text = refused("--share=2");
        assert!(text.contains("SHARE") && text.contains("\"2\""), "{text}");
        assert!(text.contains("from 0 to 1"), "{text}");
        let text = refused("--format=xml");
        assert!(text.contains("FORMAT") && text.contains("json, pretty"), "{text}");
        let text = refused("--patience=soon");
        assert!(text.contains("PATIENCE") && text.contains("soon"), "{text}");
    }
}
