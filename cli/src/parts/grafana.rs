//! Grafana and Loki, if they are installed: private child processes on the loopback interface. Grafana reads the
//! provisioning files and dashboards of the checkout unchanged; environment variables tell it this lab's ports.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use supervisor::{Part, part::Line, ports::Ports, probe::Probe};

use super::{environment, monitoring::write, programs};
use crate::home::Home;

const TEMPLATE_LOKI: &str = include_str!("templates/loki.yml");

/// Name of the part that stores logs.
pub(crate) const LOKI: &str = "loki";

/// Loki, if Grafana's is installed (Debian's package `loki` is a different program).
///
/// # Errors
/// When its configuration cannot be written.
pub(crate) fn loki(home: &Home, ports: &Ports) -> Result<Option<Part>> {
    let Some(program) = programs::find(&["loki"]).filter(|path| is_grafanas(path)) else { return Ok(None) };
    let (port, grpc) = (ports.get(LOKI), ports.get("loki-grpc"));
    let folder = home.dir.join("loki");
    let text = TEMPLATE_LOKI
        .replace("{{port}}", &port.to_string())
        .replace("{{grpc}}", &grpc.to_string())
        .replace("{{alertmanager}}", &ports.get("alertmanager").to_string())
        .replace("{{rules}}", &rules(home, &folder)?.to_string_lossy())
        .replace("{{data}}", &folder.join("data").to_string_lossy());
    let config = write(&folder, "loki.yml", &text)?;
    let line = Line::new(program).args([format!("-config.file={}", config.display())]);
    let line = line.env("GOMAXPROCS", "2").env("GOGC", "50");
    let probe = Probe::Http(format!("http://127.0.0.1:{port}/ready"));
    Ok(Some(Part::new(LOKI, line, probe).port(LOKI, port).port("loki-grpc", grpc)))
}

/// The folder that Loki reads rules from: it has one folder per tenant, and without authentication there is one tenant, `fake`. The
/// rules are those of the checkout, so that a change takes effect by itself.
fn rules(home: &Home, folder: &Path) -> Result<PathBuf> {
    let rules = folder.join("rules");
    let tenant = rules.join("fake");
    let link = || {
        fs::create_dir_all(&rules)?;
        // Of an earlier start, perhaps from another checkout.
        let _ = fs::remove_file(&tenant);
        symlink(home.root.join("dashboards/log-rules"), &tenant)
    };
    link().with_context(|| format!("cannot link {}", tenant.display()))?;
    Ok(rules)
}

fn is_grafanas(program: &Path) -> bool {
    let output = std::process::Command::new(program).arg("-version").output();
    output.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains("loki, version"))
}

/// Grafana, if it is installed: no log-in, the lab's data sources and dashboards, the overview as its home page.
pub(crate) fn grafana(home: &Home, ports: &Ports) -> Option<Part> {
    let program = programs::find(&["grafana", "grafana-server"])?;
    let folder = home.dir.join("grafana");
    let dashboards = home.root.join("dashboards/grafana");
    let url = |name| format!("http://127.0.0.1:{}", ports.get(name));
    let port = ports.get("grafana");
    let mut line = Line::new(&program);
    if program.ends_with("grafana") {
        line = line.args(["server"]);
    }
    let home_path = ["/usr/share/grafana", "/opt/homebrew/share/grafana"]
        .into_iter()
        .find(|path| Path::new(path).is_dir());
    if let Some(path) = home_path {
        line = line.args([format!("--homepath={path}")]);
    }
    let line = line
        .keep(environment::beginning_with("GF_"))
        .env("GF_SERVER_HTTP_ADDR", "127.0.0.1")
        .env("GF_SERVER_HTTP_PORT", port.to_string())
        .env("GF_PATHS_DATA", folder.join("data").to_string_lossy())
        .env("GF_PATHS_LOGS", folder.join("log").to_string_lossy())
        .env("GF_PATHS_PROVISIONING", dashboards.join("provisioning").to_string_lossy())
        .env("GF_AUTH_ANONYMOUS_ENABLED", "true")
        .env("GF_AUTH_ANONYMOUS_ORG_ROLE", "Admin")
        .env("GF_ANALYTICS_REPORTING_ENABLED", "false")
        .env("GF_ANALYTICS_CHECK_FOR_UPDATES", "false")
        .env("GF_LOG_LEVEL", "warn")
        .env("GF_DASHBOARDS_MIN_REFRESH_INTERVAL", "1s")
        .env("GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH", dashboards.join("overview.json").to_string_lossy())
        // Variables that the provisioning files use.
        .env("DASHBOARDS_PATH", dashboards.to_string_lossy())
        .env("SCRAPE_INTERVAL", "1s")
        .env("PROMETHEUS_URL", url("prometheus"))
        .env("ALERTMANAGER_URL", url("alertmanager"))
        .env("LOKI_URL", url(LOKI))
        .env("JAEGER_URL", url("traces-ui"));
    let probe = Probe::Http(format!("http://127.0.0.1:{port}/api/health"));
    Some(Part::new("grafana", line, probe).port("grafana", port))
}
