//! What the switches of a process can be told.

use chassis_core::config::Secret;

/// Who may switch faults and protections, and how they stand at the start.
#[derive(Debug, Clone, clap::Args)]
pub struct FaultsConfig {
    /// Whether the fault switch exists at all; without it `/faults` answers 404.
    #[arg(long, env = "FAULTS_ENABLED", default_value_t = true, action = clap::ArgAction::Set)]
    pub faults_enabled: bool,
    /// Bearer token that `/faults` and `/protections` require when set.
    #[arg(long, env = "FAULTS_TOKEN", hide_env_values = true)]
    pub faults_token: Option<Secret>,
    /// Instructors only: name active faults in metrics, spans and logs.
    #[arg(long, env = "FAULTS_REVEAL", default_value_t = false, action = clap::ArgAction::Set)]
    pub faults_reveal: bool,
    /// Faults that are on from the start, as `name?param=value&…`, separated by spaces.
    #[arg(long, env = "FAULTS_AT_START", value_delimiter = ' ')]
    pub faults_at_start: Vec<String>,
    /// Protections that are off from the start, separated by commas.
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
