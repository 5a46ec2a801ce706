//! Where the secrets of a lab are, and where none of them is; see `docs/security.md`.

use std::{collections::BTreeMap, fs, time::Duration};

use crate::{
    lab::{Lab, eventually, kill, text},
    strangers::secret,
};

const SOON: Duration = Duration::from_secs(40);

/// Words that may appear in one place only.
const TOKEN: &str = "token-5f2d";
const HOOK: &str = "http://127.0.0.1:9/hook-77c1";
const CANARY: &str = "canary-90ab";

/// Each secret, and the parts that may have it in their environment.
fn secrets(lab: &Lab) -> BTreeMap<String, Vec<&'static str>> {
    let services = vec!["order-api", "order-worker", "user-service"];
    let mut secrets = BTreeMap::from([
        // The edge has no store, and so no other secret.
        (TOKEN.to_owned(), [services.as_slice(), &["edge"]].concat()),
        // It is in Alertmanager's configuration, which is a file.
        (HOOK.to_owned(), Vec::new()),
        (CANARY.to_owned(), Vec::new()),
    ]);
    for service in services {
        for name in ["DATABASE_URL", "REDIS_URL", "EVENT_KEYS"] {
            let Some(value) = lab.variable(service, name) else { continue };
            let secret = match name {
                "EVENT_KEYS" => value,
                _ => value
                    .split_once('@')
                    .expect("a password")
                    .0
                    .rsplit_once(':')
                    .expect("a password")
                    .1
                    .to_owned(),
            };
            assert!(secret.len() > 20, "{service} {name}: {secret}");
            secrets.entry(secret).or_default().push(service);
        }
    }
    // One exporter and backups read their password from a file, the other exporter has it in its environment.
    secrets.insert(secret(lab, "postgres-exporter"), Vec::new());
    secrets.insert(secret(lab, "postgres-backup"), Vec::new());
    secrets.insert(secret(lab, "redis-exporter"), vec!["prometheus-redis-exporter", "redis_exporter"]);
    secrets.insert(secret(lab, "postgres-control_room"), vec!["control-room"]);
    secrets.insert(secret(lab, "redis-control-room"), vec!["control-room"]);
    // It switches faults on and off for instructors.
    secrets.entry(TOKEN.to_owned()).or_default().push("control-room");
    secrets
}

#[tokio::test]
async fn a_secret_is_only_in_the_environment_of_the_parts_that_need_it() {
    let environment = vec![("LAB_WEBHOOK", HOOK.to_owned()), ("AWS_SECRET_ACCESS_KEY", CANARY.to_owned())];
    let Some(lab) = Lab::up_with(&["--rate", "5", "--faults-token", TOKEN], environment).await else {
        return;
    };
    let secrets = secrets(&lab);
    assert!(secrets.len() > 6, "{secrets:?}");
    let status = lab.status();
    let supervisor = status["supervisor"].as_u64().expect("a supervisor").to_string();
    let mark = format!("SRE_LAB_DIR={}", lab.dir().display());
    let mut looked_at = 0;
    for process in fs::read_dir("/proc").expect("/proc").flatten() {
        let read =
            |name: &str| text(&fs::read(process.path().join(name)).unwrap_or_default()).replace('\0', "\n");
        let (environ, command) = (read("environ"), read("cmdline"));
        if !environ.lines().any(|line| line == mark) && process.file_name().to_str() != Some(&supervisor) {
            continue;
        }
        looked_at += 1;
        for (secret, parts) in &secrets {
            assert!(!command.contains(secret.as_str()), "everybody sees {secret} in: {command}");
            let program = command.lines().next().unwrap_or_default().rsplit('/').next().unwrap_or_default();
            let allowed = program == "lab" || parts.contains(&program);
            assert!(
                allowed || !environ.contains(secret.as_str()),
                "{program} has {secret} in its environment"
            );
        }
    }
    assert!(looked_at > 8, "{looked_at} processes");

    let url =
        |service, path| format!("http://127.0.0.1:{}{path}", lab.named_port(&format!("{service}-admin")));
    let mut shown = vec![status.to_string(), lab.ok(&["logs"]), lab.ok(&["status"])];
    shown.push(fs::read_to_string(lab.dir().join("state.json")).expect("the state"));
    for service in ["order-api", "order-worker", "user-service", "edge"] {
        for path in ["/version", "/metrics", "/readyz"] {
            shown.push(
                reqwest::get(url(service, path)).await.expect("it answers").text().await.expect("text"),
            );
        }
    }
    for secret in secrets.keys() {
        let leak = shown.iter().flat_map(|text| text.lines()).find(|line| line.contains(secret.as_str()));
        assert_eq!(leak, None, "{secret} is shown");
    }
}

/// The password in the URL of a service's database; `None` while its process is being replaced.
fn held(lab: &Lab, service: &str) -> Option<String> {
    let pid = lab.part(service)["pid"].as_u64()?;
    let environ = text(&fs::read(format!("/proc/{pid}/environ")).ok()?);
    let url = environ.split('\0').find_map(|line| line.strip_prefix("DATABASE_URL="))?;
    Some(url.split_once('@')?.0.rsplit_once(':')?.1.to_owned())
}

#[tokio::test]
async fn after_a_rotation_a_service_has_its_old_password_until_it_is_restarted() {
    let Some(lab) = Lab::up(&["--rate", "20"]).await else { return };
    let valid = || secret(&lab, "postgres-fulfillment");
    let first = valid();
    assert_eq!(held(&lab, "order-worker").as_ref(), Some(&first));

    lab.ok(&["rotate", "fulfillment", "--end-sessions"]);
    assert_ne!(valid(), first);
    assert_eq!(held(&lab, "order-worker").as_ref(), Some(&first), "a process keeps what it was started with");
    let refused = "sum(rate(database_errors_total{job=\"order-worker\", kind=\"other\"}[5s])) > 0";
    eventually(SOON, || async {
        if lab.query(refused).await.is_empty() { Err("nobody was refused".to_owned()) } else { Ok(()) }
    })
    .await;
    // Nobody has the new one: the old one is valid again.
    lab.ok(&["rotate", "fulfillment", "--settle"]);
    assert_eq!(valid(), first);

    lab.ok(&["rotate", "fulfillment"]);
    let second = valid();
    kill(&lab.part("order-worker")["pid"]);
    eventually(SOON, || async {
        let part = lab.part("order-worker");
        let there = part["ready"] == true && held(&lab, "order-worker").as_ref() == Some(&second);
        if there { Ok(()) } else { Err(part.to_string()) }
    })
    .await;
    lab.ok(&["rotate", "fulfillment", "--settle"]);
    assert_eq!(valid(), second, "the process that was started since has it");
    assert!(!lab.dir().join("secrets/postgres-fulfillment.before").exists());
}
