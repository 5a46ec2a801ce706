//! What each tool does to the system, by its name.

/// What a tool does to the system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// Nothing.
    Reads,
    /// It is written down.
    Tells,
    /// It changes the system.
    Acts,
}

impl Effect {
    /// That of a tool; nothing, if there is no such tool.
    pub(super) fn of(tool: &str) -> Option<Self> {
        Some(match tool {
            "current_drill" | "list_alerts" | "read_incident" | "service_map" | "list_changes"
            | "query_metrics" | "search_logs" | "find_traces" | "read_runbook" | "list_actions" => {
                Self::Reads
            }
            "acknowledge" | "post_update" | "take_hint" | "submit_diagnosis" | "submit_done" => Self::Tells,
            "act" => Self::Acts,
            _ => return None,
        })
    }
}
