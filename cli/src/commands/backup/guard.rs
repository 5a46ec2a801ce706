//! The guard of everything that overwrites: the name of the instance, typed by a person. It stops a command that was
//! meant for another terminal, as on 31 January 2017 at GitLab.

use std::io::{BufRead as _, IsTerminal as _};

use anyhow::{Result, bail};

use crate::terminal::say;

/// Succeeds if `typed`, or what is typed at the terminal, is the name of the instance.
///
/// # Errors
/// When it is another name, or nobody can be asked.
pub(super) fn pass(instance: &str, typed: Option<&str>) -> Result<()> {
    match typed {
        Some(typed) => same(instance, typed),
        None if std::io::stdin().is_terminal() => {
            say(format!("This replaces all data of {instance}. Type the name of the instance to continue:"));
            let mut line = String::new();
            std::io::stdin().lock().read_line(&mut line)?;
            same(instance, line.trim())
        }
        None => bail!("this replaces all data of {instance}: repeat with --instance {instance}"),
    }
}

fn same(instance: &str, typed: &str) -> Result<()> {
    if typed == instance {
        return Ok(());
    }
    bail!("this lab is {instance}, and not {typed}: nothing was overwritten. Is this the right terminal?")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_name_of_this_instance_passes() {
        assert!(pass("sre-lab/.lab", Some("sre-lab/.lab")).is_ok());
        for other in ["", "sre-lab", "SRE-LAB/.LAB", "sre-lab/.lab "] {
            let error = pass("sre-lab/.lab", Some(other)).unwrap_err().to_string();
            assert!(error.starts_with("this lab is sre-lab/.lab, and not "), "{error}");
        }
    }
}
