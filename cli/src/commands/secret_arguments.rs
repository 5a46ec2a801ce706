//! Moves secrets from the command line of `lab up`, which runs for hours, to where other users cannot read them.

use std::{
    ffi::OsString,
    os::unix::{
        ffi::{OsStrExt, OsStringExt},
        process::CommandExt,
    },
    process::Command,
};

use anyhow::{Context, Result};

/// Arguments with secret values, and the environment variables that replace them.
const SECRETS: &[(&str, &str)] = &[
    ("--faults-token", "FAULTS_TOKEN"),
    ("--event-keys", "EVENT_KEYS"),
    ("--webhook", "LAB_WEBHOOK"),
    ("--slack-webhook", "LAB_SLACK_WEBHOOK"),
];

/// Executes this program again with the secrets in the environment: every user of the machine can read the command
/// line of a process, but not its environment.
///
/// # Errors
/// When it cannot be executed again.
pub(super) fn hide() -> Result<()> {
    let (plain, secrets) = split(std::env::args_os().skip(1).collect());
    if secrets.is_empty() {
        return Ok(());
    }
    let error = Command::new(std::env::current_exe()?).args(plain).envs(secrets).exec();
    Err(error).context("cannot restart without secrets on the command line")
}

/// The arguments without secrets, and the secrets as variables.
fn split(args: Vec<OsString>) -> (Vec<OsString>, Vec<(&'static str, OsString)>) {
    let (mut plain, mut secrets) = (Vec::new(), Vec::new());
    let mut args = args.into_iter();
    while let Some(arg) = args.next() {
        let bytes = arg.as_bytes();
        let found = SECRETS.iter().find_map(|(flag, variable)| {
            let rest = bytes.strip_prefix(flag.as_bytes())?;
            (rest.is_empty() || rest[0] == b'=').then_some((*variable, rest.get(1..)))
        });
        match found {
            Some((variable, Some(value))) => secrets.push((variable, OsString::from_vec(value.to_vec()))),
            Some((variable, None)) => secrets.extend(args.next().map(|value| (variable, value))),
            None => plain.push(arg),
        }
    }
    (plain, secrets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_move_from_the_command_line_to_the_environment() {
        let words = |text: &str| text.split(' ').map(OsString::from).collect::<Vec<_>>();
        let (plain, secrets) = split(words("--faults-token a up --detach --webhook=http://b/?c=d --rate 5"));
        assert_eq!(plain, words("up --detach --rate 5"));
        assert_eq!(secrets, [("FAULTS_TOKEN", "a".into()), ("LAB_WEBHOOK", "http://b/?c=d".into())]);
        let (plain, secrets) = split(words("up --webhooks x --port redis=1"));
        assert_eq!((plain, secrets.len()), (words("up --webhooks x --port redis=1"), 0));
    }
}
