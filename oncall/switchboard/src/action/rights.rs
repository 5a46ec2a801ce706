//! Who may ask for an action, and what takes it back.

use super::Action;

impl Action {
    /// Whether only an instructor may ask for it, or learn that it happened.
    #[must_use]
    pub const fn is_sealed(&self) -> bool {
        matches!(
            self,
            Self::SetFault { .. }
                | Self::EndFault { .. }
                | Self::EndFaults { .. }
                | Self::PushRule { .. }
                | Self::StopPart { .. }
        )
    }

    /// Whether nobody may do it alone: a runbook does it once a second person has approved.
    #[must_use]
    pub const fn needs_approval(&self) -> bool {
        matches!(self, Self::Restore { .. })
    }

    /// What takes it back; nothing if the state before is not known, or if it cannot come back.
    #[must_use]
    pub fn undo(&self) -> Option<Self> {
        match self {
            Self::SetFault { target, fault, .. } => {
                Some(Self::EndFault { target: target.clone(), fault: fault.clone() })
            }
            Self::SetProtection { target, name, enabled, .. } => Some(Self::SetProtection {
                target: target.clone(),
                name: name.clone(),
                enabled: !enabled,
                ttl: None,
            }),
            Self::Silence { alert, service, .. } => {
                Some(Self::ExpireSilence { alert: alert.clone(), service: service.clone() })
            }
            Self::PushRule { target, rule, .. } => {
                Some(Self::RestoreRule { target: target.clone(), rule: Some(rule.clone()) })
            }
            Self::Drain { target, .. } => Some(Self::Undrain { target: Some(target.clone()) }),
            Self::StopPart { target, .. } => Some(Self::StartPart { target: target.clone() }),
            Self::SwitchFirewall { target, enabled } => {
                Some(Self::SwitchFirewall { target: target.clone(), enabled: !enabled })
            }
            Self::LimitClients { target, rps: Some(_), .. } => {
                Some(Self::LimitClients { target: target.clone(), rps: None, burst: None })
            }
            _ => None,
        }
    }
}
