//! The engines that break a cluster: Chaos Mesh and Litmus. Both are told by an object that says what to do, and stop when
//! it is deleted, or when the time in it is over.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use anyhow::{Result, bail};
use serde::Serialize;
use switchboard::{Cluster, Error};

/// Where the experiments and their manifests are, in the checkout.
pub(super) const FOLDER: &str = "deploy/chaos";
/// The namespace in the manifests for Litmus, which has to be named there.
const NAMESPACE: &str = "sre-lab";

/// One of them.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Serialize, clap::ValueEnum, strum::EnumCount, strum::VariantArray,
)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Engine {
    /// <https://chaos-mesh.org>
    ChaosMesh,
    /// <https://litmuschaos.io>
    Litmus,
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ChaosMesh => "Chaos Mesh",
            Self::Litmus => "Litmus",
        })
    }
}

impl Engine {
    /// All of them.
    pub(super) const ALL: [Self; <Self as strum::EnumCount>::COUNT] =
        *<Self as strum::VariantArray>::VARIANTS.first_chunk().expect("all of them");

    /// The name of its folder, and on the command line.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::ChaosMesh => "chaos-mesh",
            Self::Litmus => "litmus",
        }
    }

    /// Its manifest of an experiment; `None` if it has none.
    pub(super) fn manifest(self, root: &Path, name: &str) -> Option<PathBuf> {
        let file = root.join(FOLDER).join(self.name()).join(format!("{name}.yaml"));
        file.is_file().then_some(file)
    }

    /// What its object reports when it is at work, and how long that may take: Litmus first starts a pod.
    const fn at_work(self) -> [&'static str; 2] {
        match self {
            Self::ChaosMesh => ["--for=condition=AllInjected", "--timeout=30s"],
            Self::Litmus => ["--for=jsonpath={.status.experiments[0].status}=Running", "--timeout=90s"],
        }
    }

    /// Creates the object, and waits until the engine is at work.
    ///
    /// # Errors
    /// When the engine is not installed, refuses, or does nothing in time.
    pub(super) async fn begin(self, cluster: &Cluster, file: &Path) -> Result<()> {
        if self == Self::Litmus && cluster.namespace != NAMESPACE {
            bail!(
                "the manifests for Litmus name the namespace {NAMESPACE}, and --namespace is {}: use --engine \
                 chaos-mesh",
                cluster.namespace
            );
        }
        let path = file.to_string_lossy();
        match cluster.tell(&["apply", "-f", &path]).await {
            Err(Error::Kubectl(said)) if unknown(&said) => {
                bail!("{self} is not installed in this cluster (docs/chaos.md): {said}")
            }
            Err(error) => return Err(error.into()),
            Ok(_) => {}
        }
        let [condition, limit] = self.at_work();
        match cluster.tell(&["wait", condition, limit, "-f", &path]).await {
            Ok(_) => Ok(()),
            Err(error) => bail!("{self} has not begun: {error}"),
        }
    }

    /// Deletes the object, and waits until it is gone: the engine takes back what it did before that.
    ///
    /// # Errors
    /// kubectl's message.
    pub(super) async fn end(self, cluster: &Cluster, file: &Path) -> Result<()> {
        let path = file.to_string_lossy();
        match cluster.tell(&["delete", "--ignore-not-found", "--timeout=90s", "-f", &path]).await {
            // Nothing of a kind that the cluster does not know.
            Err(Error::Kubectl(said)) if unknown(&said) => Ok(()),
            done => Ok(done.map(|_| ())?),
        }
    }
}

/// Whether kubectl says that the cluster does not know a kind.
fn unknown(said: &str) -> bool {
    said.contains("no matches for kind") || said.contains("the server doesn't have a resource type")
}
