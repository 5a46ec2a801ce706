//! Flags and environment of the fault and protection switches.

use secrecy::SecretString;

/// Who may switch faults and protections, and their state at start-up.
#[derive(Debug, Clone, clap::Args)]
pub struct FaultsConfig {
    /// Serve the fault switch; when `false`, `/faults` answers 404.
    #[arg(long, env = "FAULTS_ENABLED", default_value_t = true, action = clap::ArgAction::Set)]
    pub faults_enabled: bool,
    /// Bearer token that `/faults` and `/protections` require; without it they are open.
    #[arg(long, env = "FAULTS_TOKEN", hide_env_values = true)]
    pub faults_token: Option<SecretString>,
    /// For instructors: name active faults in metrics, spans and logs.
    #[arg(long, env = "FAULTS_REVEAL", default_value_t = false, action = clap::ArgAction::Set)]
    pub faults_reveal: bool,
    /// Faults that are on from start-up, as `name?param=value&…`, separated by spaces.
    #[arg(long, env = "FAULTS_AT_START", value_delimiter = ' ')]
    pub faults_at_start: Vec<String>,
    /// Protections that are off from start-up, separated by commas, for example `timeout,bulkhead`.
    #[arg(long, env = "PROTECTIONS_OFF", value_delimiter = ',')]
    pub protections_off: Vec<String>,
}

impl FaultsConfig {
    /// Of a program without switches.
    #[must_use]
    pub fn off() -> Self {
        Self {
            faults_enabled: false,
            faults_token: None,
            faults_reveal: false,
            faults_at_start: Vec::new(),
            protections_off: Vec::new(),
        }
    }
}
