//! With what the control room changes the system, besides the switches of the services.

use std::{collections::BTreeMap, path::PathBuf};

use chassis_core::config::Invalid;
use clap::Args;
use secrecy::{ExposeSecret as _, SecretString};
use switchboard::{Lab, Tools};
use url::Url;

/// What it can reach. What is absent is not possible, and says so.
#[derive(Debug, Clone, Args)]
pub struct Hands {
    /// The databases: orders=postgres://ROLE:PASSWORD@HOST/orders,users=…. The role may read them and end
    /// sessions. Absent: neither is possible.
    #[arg(long, env = "DATABASES", hide_env_values = true, value_name = "NAME=URL,…", value_delimiter = ',')]
    pub databases: Vec<SecretString>,
    /// Redis, with an account that may scan and remove keys. Absent: no keys can be removed.
    #[arg(long, env = "REDIS_URL", hide_env_values = true, value_name = "URL")]
    pub redis_url: Option<SecretString>,
    /// Admin port of the load generator. Absent: the load cannot be changed.
    #[arg(long, env = "LOAD_ADMIN_URL", value_name = "URL")]
    pub load_admin_url: Option<Url>,
    /// Folder of the lab on this machine, with its state. Together with LAB_ROOT and LAB_PROGRAM; absent: no
    /// process can be restarted.
    #[arg(long, env = "LAB_DIR", value_name = "PATH")]
    pub lab_dir: Option<PathBuf>,
    /// Checkout of the lab on this machine.
    #[arg(long, env = "LAB_ROOT", value_name = "PATH")]
    pub lab_root: Option<PathBuf>,
    /// The program `lab`.
    #[arg(long, env = "LAB_PROGRAM", value_name = "PATH")]
    pub lab_program: Option<PathBuf>,
}

impl Hands {
    /// Refuses what cannot be read, without repeating it.
    ///
    /// # Errors
    /// Names the variable.
    pub fn check(&self) -> Result<(), Invalid> {
        match self.databases.iter().position(|entry| database(entry).is_none()) {
            None => Ok(()),
            Some(at) => Err(Invalid::new(
                "DATABASES",
                format_args!("entry {} is not NAME=URL such as orders=postgres://role:word@host/db", at + 1),
            )),
        }
    }

    /// The tools of the switchboard.
    #[must_use]
    pub fn tools(&self, alertmanager: &Url) -> Tools {
        let databases: BTreeMap<String, SecretString> = self.databases.iter().filter_map(database).collect();
        let lab = match (&self.lab_root, &self.lab_dir, &self.lab_program) {
            (Some(root), Some(dir), Some(program)) => {
                Some(Lab { root: root.clone(), dir: dir.clone(), program: program.clone() })
            }
            _ => None,
        };
        Tools {
            databases,
            redis: self.redis_url.clone(),
            alertmanager: Some(alertmanager.clone()),
            load: self.load_admin_url.clone(),
            lab,
        }
    }
}

/// Name and URL of an entry.
fn database(entry: &SecretString) -> Option<(String, SecretString)> {
    let (name, url) = entry.expose_secret().trim().split_once('=')?;
    let known = ["postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme));
    (!name.is_empty() && known).then(|| (name.to_owned(), SecretString::from(url)))
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use crate::config::RoomConfig;

    fn config(arguments: &[&str]) -> RoomConfig {
        RoomConfig::parse_from([&["control-room"], arguments].concat())
    }

    #[test]
    fn databases_are_named_and_no_secret_is_shown() {
        let urls = "orders=postgres://a:sesame@h/orders,users=postgresql://a:sesame@h/users";
        let config = config(&["--databases", urls, "--redis-url", "redis://:sesame@h"]);
        config.hands.check().unwrap();
        let tools = config.hands.tools(&config.sources.alertmanager_url);
        assert_eq!(tools.databases.keys().collect::<Vec<_>>(), ["orders", "users"]);
        assert!(tools.redis.is_some() && tools.alertmanager.is_some() && tools.load.is_none());
        assert!(!format!("{config:?} {tools:?}").contains("sesame"));
    }

    #[test]
    fn an_entry_that_cannot_be_read_is_counted_and_not_repeated() {
        for wrong in ["orders", "=postgres://h/x", "orders=mysql://sesame@h/x"] {
            let config = config(&["--databases", &format!("users=postgres://h/users,{wrong}")]);
            let said = config.check().unwrap_err().to_string();
            assert!(said.starts_with("DATABASES: entry 2 is not NAME=URL"), "{said}");
            assert!(!said.contains("sesame"), "{said}");
        }
    }

    #[test]
    fn a_lab_needs_its_folder_its_checkout_and_its_program() {
        let part = ["--lab-dir", "/lab/.lab", "--lab-root", "/lab"];
        let lab = |arguments: &[&str]| {
            let config = config(arguments);
            config.hands.tools(&config.sources.alertmanager_url).lab
        };
        assert!(lab(&part).is_none());
        let lab = lab(&[&part[..], &["--lab-program", "/lab/lab"]].concat()).unwrap();
        assert_eq!((lab.dir.to_str(), lab.root.to_str()), (Some("/lab/.lab"), Some("/lab")));
    }
}
