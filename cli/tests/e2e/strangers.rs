//! What other users of the machine, and pages in the owner's browser, can do to a lab; see `docs/security.md`.

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    process::{Command, Output},
};

use crate::{
    exporters,
    lab::{BACK, Lab, eventually, text},
};

/// Sends raw bytes to a port, as any user of this machine can; returns the start of the response.
fn ask(port: u16, request: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("the port is open");
    stream.write_all(request.as_bytes()).expect("it is read");
    let mut answer = [0; 4096];
    let length = stream.read(&mut answer).expect("it is answered");
    text(&answer[..length])
}

/// Runs a statement, with no other password than the one in the URL.
pub(crate) fn psql(url: &str, sql: &str) -> Output {
    let mut command = Command::new("psql");
    command.args(["-wqAtX", "-v", "ON_ERROR_STOP=1", url, "-c", sql]).env_remove("PGPASSFILE");
    command.output().expect("psql runs")
}

/// Everything that a program printed.
pub(crate) fn said(output: &Output) -> String {
    format!("{}{}", text(&output.stdout), text(&output.stderr))
}

#[tokio::test]
async fn nobody_gets_into_the_database_or_the_cache_without_a_password() {
    let Some(lab) = Lab::up(&["--no-load"]).await else { return };
    let port = lab.port("postgres", "postgres");
    for user in
        ["lab", "postgres", "orders", "users", "fulfillment", "exporter", "control_room", "backup", "replica"]
    {
        for database in ["orders", "postgres"] {
            let url = format!("postgres://{user}@127.0.0.1:{port}/{database}");
            let output = psql(&url, "select 1");
            assert!(!output.status.success(), "{user} reads {database}: {}", said(&output));
        }
    }
    let redis = lab.port("redis", "redis");
    for command in ["PING", "KEYS *", "FLUSHALL", "CONFIG SET dir /tmp", "SAVE", "MONITOR", "SHUTDOWN"] {
        let answer = ask(redis, &format!("{command}\r\n"));
        assert!(answer.starts_with("-NOAUTH"), "{command}: {answer}");
    }
    // The owner gets in, and so do the services: they have created users.
    assert_eq!(lab.ok(&["psql", "users", "-Atc", "select count(*) > 0 from users"]).trim(), "t");
    assert_eq!(lab.ok(&["redis-cli", "ping"]).trim(), "PONG");
}

#[tokio::test]
async fn a_service_may_do_only_what_it_needs_in_the_stores() {
    let Some(lab) = Lab::up(&["--no-load"]).await else { return };
    let url = lab.variable("order-api", "DATABASE_URL").expect("a service has its database");
    assert_eq!(psql(&url, "select count(*) from orders").status.code(), Some(0));
    for (sql, refusal) in [
        // PostgreSQL 15 and older have a different message.
        ("copy (select 1) to program 'true'", "to COPY to or from an external program"),
        ("select pg_read_file('/etc/passwd')", "permission denied"),
        ("create role more superuser", "ERROR"),
        ("alter system set log_min_messages = 'panic'", "permission denied"),
    ] {
        let tries = [psql(&url, sql), lab.run(&["psql", "orders", "-v", "ON_ERROR_STOP=1", "-c", sql])];
        for output in tries {
            let refused = !output.status.success() && said(&output).contains(refusal);
            assert!(refused, "{sql}: {}", said(&output));
        }
    }
    let other = url.replace("/orders", "/users");
    assert!(other != url && !psql(&other, "select 1").status.success(), "a service reads another's database");

    // The owner may change a service's tables and create other ones.
    lab.ok(&[
        "psql",
        "orders",
        "-v",
        "ON_ERROR_STOP=1",
        "-c",
        "create table mine (); drop table mine; analyze orders",
    ]);
    // The person on call ends a session of a service.
    let ended = "select count(pg_terminate_backend(pid)) > 0 from pg_stat_activity where datname = 'orders' \
                 and usename = 'orders' and pid <> pg_backend_pid()";
    assert_eq!(lab.ok(&["psql", "orders", "-Atc", ended]).trim(), "t");

    let url = lab.variable("user-service", "REDIS_URL").expect("a service has its cache");
    let (user, password) = url
        .strip_prefix("redis://")
        .and_then(|rest| rest.split_once('@')?.0.split_once(':'))
        .unwrap_or_else(|| panic!("no user and password: {url}"));
    for command in
        ["CONFIG SET dir /tmp", "SAVE", "FLUSHALL", "SHUTDOWN", "MODULE LIST", "ACL LIST", "DEBUG SLEEP 0"]
    {
        let answer = logged_in(&lab, user, password, command);
        assert!(answer.is_empty() || answer.starts_with("-NOPERM"), "{command}: {answer}");
    }
    for command in ["CONFIG SET dir /tmp", "MODULE LIST", "REPLICAOF 127.0.0.1 1", "SAVE"] {
        let words: Vec<&str> = ["redis-cli"].into_iter().chain(command.split(' ')).collect();
        let answer = said(&lab.run(&words));
        assert!(
            answer.contains("NOPERM") || answer.contains("protected config"),
            "the owner, {command}: {answer}"
        );
    }
    exporters::only_read_statistics(&lab).await;
}

/// What Redis answers to a command after the log-in.
pub(crate) fn logged_in(lab: &Lab, user: &str, password: &str, command: &str) -> String {
    let answer = ask(lab.port("redis", "redis"), &format!("AUTH {user} {password}\r\n{command}\r\nPING\r\n"));
    let rest = answer.strip_prefix("+OK\r\n").map(str::to_owned);
    rest.unwrap_or_else(|| panic!("{user} cannot log in: {answer}"))
}

/// A secret of the lab, as its owner can read it.
pub(crate) fn secret(lab: &Lab, name: &str) -> String {
    let text = fs::read_to_string(lab.dir().join("secrets").join(name)).expect("a secret of this lab");
    text.trim().to_owned()
}

/// Every file and folder below `folder`, without following links.
fn below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let of = |path: PathBuf| {
        let deeper = if path.is_dir() && !path.is_symlink() { below(&path) } else { Vec::new() };
        std::iter::once(path).chain(deeper)
    };
    entries.flatten().map(|entry| entry.path()).flat_map(of).collect()
}

#[tokio::test]
async fn other_users_cannot_read_the_files_of_the_lab() {
    let Some(lab) = Lab::up_in(env!("CARGO_TARGET_TMPDIR").as_ref(), 0o755, &["--rate", "5"], vec![]).await
    else {
        return;
    };
    let dir = lab.dir();
    let mode = |path: &Path| fs::symlink_metadata(path).map_or(0, |meta| meta.permissions().mode() & 0o777);
    assert_eq!(mode(&dir) & 0o067, 0, "the lab's folder has mode {:o}", mode(&dir));
    let open: Vec<_> = below(&dir)
        .into_iter()
        .filter(|path| mode(path) & 0o077 != 0)
        .map(|path| format!("{} {:o}", path.display(), mode(&path)))
        .collect();
    assert_eq!(open, Vec::<String>::new(), "files that others can read");

    // Try it as another user, if this test may become one.
    if fs::metadata("/proc/self").expect("/proc").uid() != 0 {
        eprintln!("SKIPPED: being user nobody (the test does not run as root)");
        return;
    }
    let nobody = |args: &[&str]| {
        let mut command = Command::new("setpriv");
        command
            .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
            .args(args)
            .output()
            .expect("setpriv")
    };
    assert!(
        nobody(&["test", "-x", dir.parent().expect("a parent").to_str().expect("UTF-8")]).status.success()
    );
    for file in
        ["state.json", "log/order-api.log", "prometheus/prometheus.yml", "alertmanager/alertmanager.yml"]
    {
        let path = dir.join(file);
        assert!(path.exists(), "{}", path.display());
        let output = nobody(&["cat", path.to_str().expect("UTF-8")]);
        assert!(text(&output.stderr).contains("Permission denied"), "{file}: {}", said(&output));
    }
}

#[tokio::test]
async fn a_web_page_can_neither_stop_prometheus_nor_read_or_delete_its_data() {
    let Some(lab) = Lab::up(&["--rate", "20"]).await else { return };
    let prometheus = format!("http://127.0.0.1:{}", lab.named_port("prometheus"));
    let before = lab.part("prometheus")["pid"].clone();
    let scraped = "count_over_time(up{job=\"order-api\"}[5m]) > 3";
    eventually(BACK, || async {
        if lab.query(scraped).await.is_empty() { Err("no scrapes yet".to_owned()) } else { Ok(()) }
    })
    .await;
    // A form in a page can send exactly this, without a preflight request.
    let client = reqwest::Client::new();
    for path in [
        "/api/v1/admin/tsdb/delete_series?match[]={__name__=~%22.%2B%22}",
        "/api/v1/admin/tsdb/clean_tombstones",
        "/api/v1/admin/tsdb/snapshot",
        "/-/reload",
        "/-/quit",
    ] {
        let request = client.post(format!("{prometheus}{path}")).header("origin", "https://evil.example");
        let request = request.header("content-type", "application/x-www-form-urlencoded").body("a=b");
        let status = request.send().await.expect("Prometheus answers").status();
        assert!(status.is_client_error() || status.is_server_error(), "{path}: {status}");
    }
    assert!(!lab.query(scraped).await.is_empty(), "the scraped samples are still there");
    assert_eq!(lab.part("prometheus")["pid"], before, "it is the same process");
    assert_eq!(lab.part("prometheus")["restarts"], 0);

    // Nor may a page of another origin read a response; the browser enforces this by the header.
    let request =
        client.get(format!("{prometheus}/api/v1/query?query=up")).header("origin", "https://evil.example");
    let answer = request.send().await.expect("Prometheus answers");
    let allowed = answer.headers().get("access-control-allow-origin").cloned();
    assert_eq!(allowed, None, "any page may read");
}
