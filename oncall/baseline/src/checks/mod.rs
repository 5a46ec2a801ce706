//! The checks: one table, in the order of the report. Numbers of the CIS Kubernetes Benchmark and of the Pod Security Standards are
//! given where a check is one of theirs.

mod cluster;
mod machine;
pub(crate) mod pods;
mod tls;

use crate::{Baseline, Facts};

/// Something that is not as the baseline says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What it is about: a part, a file, an object, an image.
    pub subject: String,
    /// What was found there.
    pub found: String,
}

/// What a check looked at, and what it found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Looked {
    /// How many subjects.
    pub subjects: usize,
    /// Those that are wrong.
    pub findings: Vec<Finding>,
}

impl Looked {
    /// Looks at each of `subjects`; `wrong` says what is wrong with one, and its name.
    fn at<T>(
        subjects: impl IntoIterator<Item = T>,
        wrong: impl Fn(&T) -> Option<String>,
        name: impl Fn(&T) -> String,
    ) -> Self {
        let mut looked = Self::default();
        for subject in subjects {
            looked.subjects += 1;
            if let Some(found) = wrong(&subject) {
                looked.findings.push(Finding { subject: name(&subject), found });
            }
        }
        looked
    }
}

/// Something that must hold.
pub struct Check {
    /// Its name, such as `LAB-5.9`; it never changes its meaning.
    pub id: &'static str,
    /// What must hold, as a sentence.
    pub title: &'static str,
    /// Where it comes from.
    pub source: &'static str,
    /// What to do about a finding.
    pub fix: &'static str,
    /// Looks; `None` if what it needs was not looked at.
    pub(crate) look: fn(&Facts, &Baseline) -> Option<Looked>,
}

macro_rules! checks {
    ($($id:literal $title:literal $source:literal $fix:literal $look:expr;)+) => {
        /// All of them.
        pub const CHECKS: &[Check] =
            &[$(Check { id: $id, title: $title, source: $source, fix: $fix, look: $look }),+];
    };
}

checks! {
    "LAB-1.1" "Parts listen on addresses of this machine only." "docs/security.md"
        "Set the part's address to 127.0.0.1." machine::listeners;
    "LAB-2.1" "A switch that changes the system wants a token, unless only this machine reaches it." "docs/security.md"
        "Set FAULTS_TOKEN, or let the part listen on 127.0.0.1." machine::switches;
    "LAB-3.1" "What a lab keeps is for its owner alone." "CIS Controls 3.3"
        "chmod go= the file or folder." machine::files;
    "LAB-4.1" "No package has a version with a known advisory." "CIS Controls 7.4"
        "cargo update -p the package; `cargo deny check` judges by the whole database." machine::packages;
    "LAB-5.1" "No role has a wildcard." "CIS Kubernetes 5.1.3"
        "Name the resources and verbs." cluster::wildcards;
    "LAB-5.2" "No role reads secrets." "CIS Kubernetes 5.1.2"
        "Mount the one secret that is needed." cluster::secrets;
    "LAB-5.3" "No role can make itself stronger." "CIS Kubernetes 5.1.4, 5.1.8"
        "Remove escalate, bind, impersonate, and the creation of pods and of exec." cluster::escalation;
    "LAB-5.4" "Only the pods that ask the API server have a token for it." "CIS Kubernetes 5.1.5, 5.1.6"
        "Set automountServiceAccountToken to false, or list the account in the baseline." cluster::tokens;
    "LAB-5.5" "No pod shares the host: its network, processes, files or ports." "CIS Kubernetes 5.2.3 to 5.2.5, 5.2.12, 5.2.13"
        "Remove hostNetwork, hostPID, hostIPC, hostPath and hostPort." pods::host;
    "LAB-5.6" "No container is privileged or can gain privileges." "CIS Kubernetes 5.2.2, 5.2.6; Pod Security restricted"
        "Set allowPrivilegeEscalation to false, and remove privileged." pods::privileges;
    "LAB-5.7" "No container runs as root." "CIS Kubernetes 5.2.7; Pod Security restricted"
        "Set runAsNonRoot to true." pods::root;
    "LAB-5.8" "Containers have no capabilities, the default seccomp profile, and a root file system that is read-only."
        "CIS Kubernetes 5.2.8, 5.2.9, 5.7.2; Pod Security restricted"
        "Drop ALL, set RuntimeDefault, and mount what is written." pods::confinement;
    "LAB-5.9" "Images are named by digest." "CIS Kubernetes 5.5.1"
        "Append @sha256:…; deploy/helm/sre-lab/values.yaml has those of others' images." pods::images;
    "LAB-5.10" "Containers have limits." "NSA and CISA, Kubernetes Hardening Guide: resource policies"
        "Set resources.limits.memory." pods::limits;
    "LAB-5.11" "No secret is written into a manifest." "CIS Kubernetes 5.4.1"
        "Use valueFrom.secretKeyRef." pods::literals;
    "LAB-5.12" "What no network policy allows is denied, and every pod has a policy of its own." "CIS Kubernetes 5.3.2"
        "Add a policy that selects the pod, and a default that denies both directions." cluster::policies;
    "LAB-5.13" "No service is open to the outside." "docs/kubernetes.md"
        "Use ClusterIP, and a port-forward or an ingress with a login." cluster::services;
    "LAB-5.14" "Where TLS is used, nothing goes past it." "docs/security.md"
        "Let the program behind the proxy listen on 127.0.0.1; name a secret with a certificate in the ingress." tls::past;
}

#[cfg(test)]
mod tests {
    use super::CHECKS;

    #[test]
    fn every_check_has_an_id_of_its_own_and_says_what_to_do() {
        let mut ids: Vec<_> = CHECKS.iter().map(|check| check.id).collect();
        ids.dedup();
        assert_eq!(ids.len(), CHECKS.len());
        for check in CHECKS {
            assert!(check.id.starts_with("LAB-") && check.title.ends_with('.') && !check.fix.is_empty());
        }
    }
}
