//! `lab audit config` on lists of a cluster's objects, as the chart's nightly job runs it: in a folder without a checkout.

#![allow(clippy::unwrap_used, reason = "a test: a panic is how it fails")]

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

/// Runs the audit in a folder with these lists; the output as one text.
fn audit(lists: &[(&str, &str)]) -> (Output, String) {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in lists {
        fs::write(folder.path().join(name), text).unwrap();
    }
    let baseline = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/baseline.yaml");
    let output = Command::new(env!("CARGO_BIN_EXE_lab"))
        .args(["audit", "config", "--objects", ".", "--baseline"])
        .arg(baseline)
        .current_dir(folder.path())
        .env_remove("LAB_ROOT")
        .env_remove("LAB_CONTEXT")
        .output()
        .unwrap();
    let said =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (output, said)
}

fn roles(verb: &str) -> String {
    let rule = format!(r#"{{"apiGroups":["apps"],"resources":["deployments"],"verbs":["{verb}"]}}"#);
    let item = format!(r#"{{"metadata":{{"name":"config-audit"}},"rules":[{rule}]}}"#);
    format!(r#"{{"kind":"RoleList","apiVersion":"rbac.authorization.k8s.io/v1","items":[{item}]}}"#)
}

#[test]
fn a_finding_fails_the_job_and_a_sound_role_does_not() {
    let (output, said) = audit(&[("roles.json", &roles("list"))]);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("0 findings") && said.contains("score 100"), "{said}");
    assert!(said.contains("LAB-1.1   not looked at"), "nothing of this machine: {said}");

    let (output, said) = audit(&[("roles.json", &roles("*"))]);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("Role/config-audit: has `*` in verbs"), "{said}");
}

#[test]
fn nothing_and_a_refusal_of_the_api_server_are_no_proof() {
    let (output, said) = audit(&[("notes.txt", "roles")]);
    assert!(!output.status.success() && said.contains("no objects that could be judged"), "{said}");
    let status = r#"{"kind":"Status","message":"roles is forbidden"}"#;
    let (output, said) = audit(&[("roles.json", status)]);
    assert!(!output.status.success() && said.contains("expected a list such as a DeploymentList"), "{said}");
}
