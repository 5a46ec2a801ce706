//! The values of the chart that a release sets, by `helm`. Helm and not a client library: it has the user's contexts and rights, and
//! keeps the history of what was installed.
//!
//! Forward, an upgrade waits until every pod is ready and is taken back if one is not (`--atomic`). Backward it waits for nothing: a
//! canary that is not ready is no reason to give it back its requests.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use release::fleet::{Crew, Trial, Version};
use serde_json::Value;
use switchboard::Cluster;
use tokio::{
    process::Command,
    time::{Instant, sleep, timeout},
};

/// The chart, in the checkout.
const CHART: &str = "deploy/helm/sre-lab";
/// Longest wait for an answer of helm to a question.
const ANSWER: Duration = Duration::from_secs(30);
/// Longest wait until every pod is ready; helm then takes the upgrade back.
const READY: &str = "3m";
/// Longest wait for another helm to end, such as one whose `lab` was killed. A little longer than that.
const OTHER: Duration = Duration::from_secs(200);
/// Between two attempts.
const EVERY: Duration = Duration::from_secs(2);

/// The chart as it is installed in a cluster.
#[derive(Debug, Clone)]
pub(super) struct Helm {
    context: String,
    namespace: String,
    /// Name of the Helm release.
    name: String,
    /// The chart that it was installed from.
    chart: PathBuf,
    /// Tag of an image that the values give none.
    built: String,
}

/// What the values say about one service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Values {
    /// The service that is released; empty while none is.
    pub(super) service: String,
    /// Tag of its canary.
    pub(super) tag: String,
    /// Percent of the requests for the canary, and as much for the baseline.
    pub(super) weight: u32,
    /// The service's own tag; empty if it has that of all.
    own: String,
    /// The tag of all.
    pub(super) all: String,
}

/// How an upgrade is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// Wait until all is ready, or take it back.
    Forward,
    /// Only set it.
    Back,
}

impl Helm {
    /// The Helm release that the Deployment of a service belongs to.
    ///
    /// # Errors
    /// When there is no such Deployment, or it was not installed from the chart of this checkout: an upgrade would change more than
    /// the service.
    pub(super) async fn of(cluster: &Cluster, context: &str, root: &Path, service: &str) -> Result<Self> {
        let said = cluster.tell(&["get", &format!("deployment/{service}"), "--output", "json"]).await?;
        let deployment: Value = serde_json::from_str(&said).context("kubectl's answer is not JSON")?;
        let labels = &deployment["metadata"]["labels"];
        let label = |name: &str| labels[name].as_str().unwrap_or_default().to_owned();
        let (name, installed) = (label("app.kubernetes.io/instance"), label("helm.sh/chart"));
        if name.is_empty() || label("app.kubernetes.io/managed-by") != "Helm" {
            bail!("deployment/{service} in {} was not installed with helm", cluster.namespace);
        }
        let chart = root.join(CHART);
        let file = chart.join("Chart.yaml");
        let text = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        let field =
            |name: &str| field(&text, name).with_context(|| format!("{} has no {name}", file.display()));
        let here = format!("sre-lab-{}", field("version")?).replace('+', "_");
        if installed != here {
            bail!(
                "the cluster has the chart {installed}, and this checkout {here}: upgrade the lab first (deploy/deploy up), \
                 because a release would change more than {service}"
            );
        }
        let (context, namespace) = (context.to_owned(), cluster.namespace.clone());
        Ok(Self { context, namespace, name, chart, built: field("appVersion")?.to_owned() })
    }

    /// Where it is installed.
    pub(super) fn namespace(&self) -> &str {
        &self.namespace
    }

    /// What the values say about a service.
    ///
    /// # Errors
    /// Helm's message.
    pub(super) async fn values(&self, service: &str) -> Result<Values> {
        let args = ["get", "values", self.name.as_str(), "--all", "--output", "json"];
        let Ok(said) = timeout(ANSWER, self.tell(&args)).await else {
            bail!("helm get values: no answer within {} s", ANSWER.as_secs());
        };
        let all: Value = serde_json::from_str(&said?).context("helm's values are not JSON")?;
        let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let release = &all["release"];
        let image = word(&all["image"]["tag"]);
        Ok(Values {
            service: word(&release["service"]),
            tag: word(&release["tag"]),
            weight: release["weight"]
                .as_u64()
                .and_then(|weight| u32::try_from(weight).ok())
                .unwrap_or_default(),
            own: word(&all["services"][service]["tag"]),
            all: if image.is_empty() { self.built.clone() } else { image },
        })
    }

    /// Sets texts, such as `release.service=order-api,release.tag=v2`, and the weight. `why` is what `helm history` shows. Waits while
    /// another helm is at work.
    ///
    /// # Errors
    /// Helm's message.
    pub(super) async fn upgrade(&self, texts: &str, weight: Option<u32>, way: Way, why: &str) -> Result<()> {
        let (chart, weight) =
            (self.chart.display().to_string(), weight.map(|to| format!("release.weight={to}")));
        let mut args = vec!["upgrade", self.name.as_str(), chart.as_str(), "--reuse-values"];
        if way == Way::Forward {
            args.extend(["--atomic", "--timeout", READY]);
        }
        // A tag such as 2026 must stay a text.
        args.extend(["--description", why, "--set-string", texts]);
        args.extend(weight.iter().flat_map(|weight| ["--set", weight.as_str()]));
        let until = Instant::now() + OTHER;
        loop {
            match self.tell(&args).await {
                Err(error) if error.to_string().contains("another operation") => {
                    if Instant::now() >= until {
                        let back = format!(
                            "helm --kube-context {} -n {} rollback {}",
                            self.context, self.namespace, self.name
                        );
                        return Err(
                            error.context(format!("if no other helm is at work, one was killed: {back}"))
                        );
                    }
                    sleep(EVERY).await;
                }
                told => return told.map(drop),
            }
        }
    }

    /// Runs helm to its end, even if this program is interrupted meanwhile: an upgrade that is cut off blocks the next one.
    async fn tell(&self, args: &[&str]) -> Result<String> {
        let mut helm = Command::new("helm");
        helm.args(["--kube-context", &self.context, "--namespace", &self.namespace]).args(args);
        helm.stdin(Stdio::null()).process_group(0);
        let output = helm.output().await.context("cannot run helm (https://helm.sh/docs/intro/install)")?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        // The chart's links to other folders are meant.
        let said: Vec<&str> = said.lines().filter(|line| !line.contains("symbolic link")).collect();
        bail!("helm {}: {}", args.first().unwrap_or(&""), said.join(" ").trim())
    }
}

impl Values {
    /// The version of every instance that is not a guest.
    pub(super) fn running(&self) -> &str {
        if self.own.is_empty() { &self.all } else { &self.own }
    }

    /// Percent of the requests for the canary of a service.
    pub(super) fn weight_of(&self, service: &str) -> u32 {
        if self.service == service { self.weight } else { 0 }
    }

    /// What runs of a service. A canary of the version that everybody has is one that is about to go.
    pub(super) fn crew(&self, service: &str) -> Crew {
        let guests = self.service == service && self.tag != self.running();
        let trial = Trial { version: Version::built(&self.tag), weight: self.weight };
        Crew { version: Version::built(self.running()), canary: guests.then_some(trial) }
    }
}

/// The value of a field at the top of a YAML file.
fn field<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))?;
    Some(value.trim().trim_matches('"'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(service: &str, tag: &str, own: &str) -> Values {
        let text = str::to_owned;
        Values { service: text(service), tag: text(tag), weight: 5, own: text(own), all: text("v1") }
    }

    #[test]
    fn what_runs_is_the_services_own_tag_or_that_of_all() {
        assert_eq!(
            values("", "", "").crew("order-api"),
            Crew { version: Version::built("v1"), canary: None }
        );
        let trial = Trial { version: Version::built("v2"), weight: 5 };
        let during = Crew { version: Version::built("v1"), canary: Some(trial) };
        assert_eq!(values("order-api", "v2", "").crew("order-api"), during);
        assert_eq!(values("order-api", "v2", "").crew("user-service").canary, None, "another service");
        let promoted = values("order-api", "v2", "v2").crew("order-api");
        assert_eq!(
            promoted,
            Crew { version: Version::built("v2"), canary: None },
            "its guests are about to go"
        );
        assert_eq!(values("order-api", "v2", "").weight_of("user-service"), 0);
    }

    #[test]
    fn the_chart_of_the_checkout_has_its_versions() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let text = fs::read_to_string(root.join(CHART).join("Chart.yaml")).unwrap();
        assert!(field(&text, "version").is_some_and(|version| version.contains('.')));
        assert!(field(&text, "appVersion").is_some_and(|version| !version.contains('"')));
        assert_eq!(field(&text, "appVersio"), None);
    }
}
