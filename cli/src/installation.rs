//! Which installation a command is about: a lab on this machine, a lab on Kubernetes, or any URLs that the user
//! named.

use std::{ops::Deref, path::PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args;
use observe::{Alertmanager, ControlRoom, Jaeger, Peer, Prometheus, logs::Loki};
use reqwest::Url;
use switchboard::{Cluster, Forward, Place, Replica};

use crate::home::Home;

/// Where to look. If a URL is named, nothing is taken from a lab on this machine.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Where")]
pub(crate) struct Installation {
    /// Folder of this lab: state, data, logs. Two labs with different folders and ports run side by side.
    #[arg(long, global = true, env = "LAB_DIR", value_name = "PATH")]
    dir: Option<PathBuf>,
    /// Checkout whose rules and dashboards are used; by default found from the current folder or the executable.
    #[arg(long, global = true, env = "LAB_ROOT", value_name = "PATH")]
    root: Option<PathBuf>,
    /// Token that the services require at `/faults` and `/protections`; `up` passes it to them.
    #[arg(long, global = true, env = "FAULTS_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    faults_token: Option<String>,
    /// Use the lab on Kubernetes: `k8s` for kubectl's current context, or the name of a context. `break`, `fix`,
    /// `faults` and `protections` then reach every pod of a service.
    #[arg(long, global = true, env = "LAB_CONTEXT", value_name = "CONTEXT")]
    context: Option<String>,
    /// Namespace of the lab on Kubernetes.
    #[arg(long, global = true, env = "LAB_NAMESPACE", default_value = "sre-lab", value_name = "NAME")]
    namespace: String,
    /// Only this pod, instead of every pod of the service.
    #[arg(long, global = true, value_name = "POD", requires = "context")]
    pod: Option<String>,
    /// Prometheus of any installation, for `alerts` and `slo`, such as http://host:9090.
    #[arg(long, global = true, env = "LAB_PROMETHEUS_URL", value_name = "URL", value_parser = url)]
    prometheus: Option<Url>,
    /// Alertmanager of any installation, for `alerts`, such as http://host:9093.
    #[arg(long, global = true, env = "LAB_ALERTMANAGER_URL", value_name = "URL", value_parser = url)]
    alertmanager: Option<Url>,
    /// Jaeger, or another store with its query API, of any installation, for `traces` and `trace`.
    #[arg(long, global = true, env = "LAB_JAEGER_URL", value_name = "URL", value_parser = url)]
    jaeger: Option<Url>,
    /// Loki of any installation, for `logs`, such as http://host:3100.
    #[arg(long, global = true, env = "LAB_LOKI_URL", value_name = "URL", value_parser = url)]
    loki: Option<Url>,
    /// Control room of any installation, for `incident`, `drill` and `pages`, such as http://host:8080.
    #[arg(long, global = true, env = "LAB_CONTROL_ROOM_URL", value_name = "URL", value_parser = url)]
    control_room: Option<Url>,
    /// Token of the control room, if it requires one.
    #[arg(long, global = true, env = "CONTROL_ROOM_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    control_room_token: Option<String>,
}

fn url(text: &str) -> Result<Url, String> {
    match Url::parse(text) {
        Ok(url) if url.scheme() == "http" && url.has_host() => Ok(url),
        _ => {
            Err("expected http://host:port; lab speaks no TLS, a port-forward or a proxy on this machine can"
                .to_owned())
        }
    }
}

/// A client, and the port-forward to its peer if there is one to keep open.
pub(crate) struct Reached<T> {
    client: T,
    _way: Option<Forward>,
}

impl<T> Deref for Reached<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.client
    }
}

impl<T> Reached<T> {
    pub(crate) fn map<U>(self, client: impl FnOnce(T) -> U) -> Reached<U> {
        Reached { client: client(self.client), _way: self._way }
    }
}

/// A kind of peer that commands can ask.
struct Kind {
    title: &'static str,
    flag: &'static str,
    /// Service and port in the chart.
    service: (&'static str, &'static str),
    /// Port of a lab on this machine.
    port: &'static str,
}

const PROMETHEUS: Kind =
    Kind { title: "Prometheus", flag: "--prometheus", service: ("prometheus", "http"), port: "prometheus" };
const ALERTMANAGER: Kind = Kind {
    title: "Alertmanager",
    flag: "--alertmanager",
    service: ("alertmanager", "http"),
    port: "alertmanager",
};
const JAEGER: Kind =
    Kind { title: "the trace store", flag: "--jaeger", service: ("jaeger", "ui"), port: "traces-ui" };
const LOKI: Kind = Kind { title: "Loki", flag: "--loki", service: ("loki", "http"), port: "loki" };
const CONTROL_ROOM: Kind = Kind {
    title: "the control room",
    flag: "--control-room",
    service: ("control-room", "http"),
    port: "control-room",
};

impl Installation {
    /// The checkout and the folder of a lab on this machine, for commands that need only a checkout.
    ///
    /// # Errors
    /// When no checkout is found.
    pub(crate) fn home(&self) -> Result<Home> {
        let home = Home::find(self.root.as_deref(), self.dir.as_deref())?;
        Ok(Home { token: self.token().map(str::to_owned), ..home })
    }

    /// The same, for commands that act on a lab on this machine and would otherwise act on a different one than
    /// intended.
    ///
    /// # Errors
    /// When a cluster is named, or no checkout is found.
    pub(crate) fn here(&self, command: &str) -> Result<Home> {
        if self.context.is_some() {
            bail!(
                "`lab {command}` works on a lab on this machine only: leave out --context (deploy/deploy runs a lab on \
                 Kubernetes)"
            );
        }
        self.home()
    }

    /// The same, for commands that ask Prometheus and act on this machine: a URL could name another installation.
    ///
    /// # Errors
    /// As [`Installation::here`], and when a URL is named.
    pub(crate) fn all_here(&self, command: &str) -> Result<Home> {
        if self.any_url() {
            bail!(
                "`lab {command}` works on a lab on this machine only: leave out the URLs (--prometheus and the others)"
            );
        }
        self.here(command)
    }

    /// The same for a lab in another folder of this machine.
    pub(crate) fn beside(&self, dir: PathBuf) -> Self {
        Self { dir: Some(dir), ..self.clone() }
    }

    /// Whether the command is about a lab on this machine.
    pub(crate) fn is_here(&self) -> bool {
        self.context.is_none() && !self.any_url()
    }

    /// Whether `alerts` can ask Alertmanager: if the installation is named by URLs, its address may be missing.
    pub(crate) fn has_alertmanager(&self) -> bool {
        self.alertmanager.is_some() || self.context.is_some() || !self.any_url()
    }

    /// Its Prometheus.
    ///
    /// # Errors
    /// If there is none, with a hint at what to do; the same for the others below.
    pub(crate) async fn prometheus(&self) -> Result<Reached<Prometheus>> {
        Ok(self.reach(&PROMETHEUS, self.prometheus.as_ref()).await?.map(Prometheus::at))
    }

    /// The same in a cluster that was found before: if kubectl's current context changes meanwhile, this is still the same one.
    pub(crate) async fn prometheus_of(&self, cluster: &Cluster) -> Result<Reached<Prometheus>> {
        let peer = self.reach_in(&PROMETHEUS, self.prometheus.as_ref(), Some(cluster.clone())).await?;
        Ok(peer.map(Prometheus::at))
    }

    /// Its Alertmanager.
    pub(crate) async fn alertmanager(&self) -> Result<Reached<Alertmanager>> {
        Ok(self.reach(&ALERTMANAGER, self.alertmanager.as_ref()).await?.map(Alertmanager::at))
    }

    /// Its trace store.
    pub(crate) async fn jaeger(&self) -> Result<Reached<Jaeger>> {
        Ok(self.reach(&JAEGER, self.jaeger.as_ref()).await?.map(Jaeger::at))
    }

    /// Its Loki.
    pub(crate) async fn loki(&self) -> Result<Reached<Loki>> {
        Ok(self.reach(&LOKI, self.loki.as_ref()).await?.map(Loki::at))
    }

    /// Its control room.
    pub(crate) async fn control_room(&self) -> Result<Reached<ControlRoom>> {
        let token = self.control_room_token.clone().filter(|token| !token.is_empty());
        let peer = self.reach(&CONTROL_ROOM, self.control_room.as_ref()).await?;
        Ok(peer.map(|peer| ControlRoom::at(peer.token(token))))
    }

    /// The same in a cluster that was found before.
    pub(crate) async fn control_room_of(&self, cluster: &Cluster) -> Result<Reached<ControlRoom>> {
        let token = self.control_room_token().map(str::to_owned);
        let peer = self.reach_in(&CONTROL_ROOM, self.control_room.as_ref(), Some(cluster.clone())).await?;
        Ok(peer.map(|peer| ControlRoom::at(peer.token(token))))
    }

    /// The same, for an instructor: `lab up` gives the token of the switches to the control room as the instructor's.
    pub(crate) async fn instructor(&self) -> Result<Reached<ControlRoom>> {
        let own = self.control_room_token.clone().filter(|token| !token.is_empty());
        let token = own.or_else(|| self.token().map(str::to_owned));
        let peer = self.reach(&CONTROL_ROOM, self.control_room.as_ref()).await?;
        Ok(peer.map(|peer| ControlRoom::at(peer.token(token)).as_instructor()))
    }

    /// The replicas of a service, or of every service.
    pub(crate) async fn replicas(&self, wanted: Option<&str>) -> Result<Vec<Replica>> {
        Ok(self.switches()?.replicas(wanted, self.token()).await?)
    }

    /// Where the switches of the services are, for actions.
    pub(crate) fn switches(&self) -> Result<Place> {
        match self.cluster() {
            Some(cluster) => Ok(Place::Kubernetes(cluster)),
            None => self.home()?.switches(),
        }
    }

    /// Whether the services are in a cluster.
    pub(crate) const fn in_cluster(&self) -> bool {
        self.context.is_some()
    }

    /// The token for `/faults` and `/protections`.
    pub(crate) fn token(&self) -> Option<&str> {
        self.faults_token.as_deref().filter(|token| !token.is_empty())
    }

    /// The token for the control room.
    pub(crate) fn control_room_token(&self) -> Option<&str> {
        self.control_room_token.as_deref().filter(|token| !token.is_empty())
    }

    /// The cluster, for commands that work in one only.
    ///
    /// # Errors
    /// When none is named.
    pub(crate) fn needed_cluster(&self) -> Result<Cluster> {
        self.cluster()
            .context("this works in a cluster only: name it with --context (k8s for the current one)")
    }

    fn cluster(&self) -> Option<Cluster> {
        self.context.as_ref().map(|context| Cluster {
            context: Some(context.clone()).filter(|context| context != "k8s"),
            namespace: self.namespace.clone(),
            pod: self.pod.clone(),
        })
    }

    fn any_url(&self) -> bool {
        [&self.prometheus, &self.alertmanager, &self.jaeger, &self.loki, &self.control_room]
            .into_iter()
            .any(Option::is_some)
    }

    async fn reach(&self, kind: &Kind, url: Option<&Url>) -> Result<Reached<Peer>> {
        self.reach_in(kind, url, self.cluster()).await
    }

    async fn reach_in(
        &self,
        kind: &Kind,
        url: Option<&Url>,
        cluster: Option<Cluster>,
    ) -> Result<Reached<Peer>> {
        if let Some(url) = url {
            let peer =
                Peer::at(url.as_str()).next_step(format!("is {} there? see {}", kind.title, kind.flag));
            return Ok(Reached { client: peer, _way: None });
        }
        if let Some(cluster) = cluster {
            let way = cluster.service(kind.service.0, kind.service.1).await?;
            return Ok(Reached { client: Peer::at(&way.url), _way: Some(way) });
        }
        if self.any_url() {
            bail!("the address of {} is unknown: add {} URL", kind.title, kind.flag);
        }
        let port = self.home()?.lab()?.port(kind.port);
        let port =
            port.with_context(|| format!("{} does not run in this lab: see `lab status`", kind.title))?;
        let peer = Peer::at(format!("http://127.0.0.1:{port}")).next_step("see `lab status`");
        Ok(Reached { client: peer, _way: None })
    }
}
