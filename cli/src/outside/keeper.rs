//! What the part `chaos` does: it is the way between the parts, and keeps to the orders.

use std::{collections::BTreeMap, fs, net::SocketAddr, path::Path, str::FromStr, time::Duration};

use anyhow::{Context as _, Result};
use chrono::Utc;
use supervisor::process::ProcId;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use wire::{Conditions, Proxy};

use super::{
    desk::Desk,
    orders::{Done, Orders, What},
    squeeze::{self, Squeezed},
};
use crate::terminal::say;

/// How often it looks for orders, and for those that have ended.
const LOOK: Duration = Duration::from_millis(100);

/// A way between two parts: FROM/TO=LISTEN,TARGET.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Link {
    /// The service that connects.
    pub(crate) from: String,
    /// The service or store that it connects to.
    pub(crate) to: String,
    /// Where the first finds the way.
    pub(crate) listen: SocketAddr,
    /// Where it leads.
    pub(crate) target: SocketAddr,
}

impl FromStr for Link {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let read = || {
            let (name, addresses) = text.split_once('=')?;
            let ((from, to), (listen, target)) = (name.split_once('/')?, addresses.split_once(',')?);
            let (listen, target) = (listen.parse().ok()?, target.parse().ok()?);
            Some(Self { from: from.to_owned(), to: to.to_owned(), listen, target })
        };
        read()
            .ok_or_else(|| "expected FROM/TO=LISTEN,TARGET with addresses such as 127.0.0.1:9137".to_owned())
    }
}

impl std::fmt::Display for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}={},{}", self.from, self.to, self.listen, self.target)
    }
}

/// The part.
pub(crate) struct Keeper {
    desk: Desk,
    ways: Vec<(Link, Proxy)>,
    squeezed: BTreeMap<String, Held>,
    /// What could not be let go: the kernel keeps a group for a moment after its last process.
    left: Vec<Squeezed>,
}

/// A squeeze that was ordered: of which process, and what came of it.
struct Held {
    process: ProcId,
    came: Result<Squeezed, String>,
}

impl Keeper {
    /// Opens the ways, and ends what an earlier one left squeezed.
    ///
    /// # Errors
    /// When a port is taken.
    pub(crate) async fn open(desk: Desk, links: Vec<Link>) -> Result<Self> {
        squeeze::sweep(Path::new(squeeze::ROOT));
        let mut ways = Vec::new();
        for (number, link) in (0_u64..).zip(links) {
            let proxy = Proxy::start(link.listen, link.target, number).await;
            let proxy = proxy.with_context(|| format!("cannot listen on {}", link.listen))?;
            ways.push((link, proxy));
        }
        Ok(Self { desk, ways, squeezed: BTreeMap::new(), left: Vec::new() })
    }

    /// Keeps to the orders until it is stopped; then ends what it did. `ready` is written when it begins.
    ///
    /// # Errors
    /// When it cannot write in the lab's folder.
    pub(crate) async fn run(mut self, ready: &Path, stop: &CancellationToken) -> Result<()> {
        let (mut orders, mut told, mut said) = (Orders::default(), None, false);
        fs::write(ready, "").with_context(|| format!("cannot write {}", ready.display()))?;
        while !stop.is_cancelled() {
            // What cannot be read is said once, and what was in force ends in time.
            match self.desk.orders() {
                Ok(new) => (orders, said) = (new, false),
                Err(_) if said => {}
                Err(error) => {
                    say(format_args!("chaos: {error:#}"));
                    said = true;
                }
            }
            let done = self.keep(&orders);
            if told != Some(orders.revision) {
                self.desk.done(&done)?;
                told = Some(orders.revision);
            }
            stop.run_until_cancelled(sleep(LOOK)).await;
        }
        self.keep(&Orders::default());
        Ok(())
    }

    fn keep(&mut self, orders: &Orders) -> Done {
        let now = Utc::now();
        let live: Vec<&What> = orders.live(now).map(|order| &order.what).collect();
        for (link, proxy) in &self.ways {
            let conditions = live.iter().find_map(|what| conditions(what, link));
            proxy.set(conditions.unwrap_or_default());
        }
        let mut refused: Vec<String> = Vec::new();
        for what in &live {
            if let What::Link { from, to, .. } = what
                && !self.ways.iter().any(|(link, _)| link.from == *from && link.to == *to)
            {
                refused.push(format!("there is no proxy on the way from {from} to {to}"));
            }
        }
        refused.extend(self.squeeze(&live));
        Done { revision: orders.revision, refused }
    }

    /// Squeezes what is to be squeezed, and lets go of the rest; what it could not do.
    fn squeeze(&mut self, live: &[&What]) -> Vec<String> {
        let wanted = |name: &str, held: &Held| {
            live.iter().any(|what| {
                matches!(what, What::Squeeze { part, process, .. } if part == name && *process == held.process)
            })
        };
        self.left.retain(|squeezed| squeezed.release().is_err());
        let gone = self.squeezed.iter().filter(|(name, held)| !wanted(name, held));
        let gone: Vec<String> = gone.map(|(name, _)| name.clone()).collect();
        for name in gone {
            if let Some(Held { came: Ok(squeezed), .. }) = self.squeezed.remove(&name)
                && let Err(error) = squeezed.release()
            {
                say(format_args!("chaos: {error}, trying again"));
                self.left.push(squeezed);
            }
        }
        for what in live {
            let What::Squeeze { part, process, cpu, memory } = what else { continue };
            self.squeezed.entry(part.clone()).or_insert_with(|| {
                let came = squeeze::squeeze(Path::new(squeeze::ROOT), *process, *cpu, *memory);
                Held { process: *process, came }
            });
        }
        let refused = self.squeezed.values().filter_map(|held| held.came.as_ref().err());
        refused.cloned().collect()
    }
}

fn conditions(what: &What, link: &Link) -> Option<Conditions> {
    match what {
        What::Link { from, to, conditions } if *from == link.from && *to == link.to => Some(*conditions),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::{TcpListener, TcpStream},
        time::timeout,
    };
    use wire::Gate;

    use super::*;
    use crate::{home::Home, outside::Order};

    #[test]
    fn a_link_is_read_as_it_is_written() {
        let text = "order-api/postgres=127.0.0.1:9137,127.0.0.1:5432";
        let link: Link = text.parse().unwrap();
        assert_eq!(link.to_string(), text);
        for wrong in ["", "a=127.0.0.1:1,127.0.0.1:2", "a/b=127.0.0.1:1", "a/b=x,127.0.0.1:2"] {
            assert!(wrong.parse::<Link>().unwrap_err().contains("FROM/TO"), "{wrong}");
        }
    }

    #[tokio::test]
    async fn an_order_is_carried_out_and_ends_by_itself() {
        let folder = tempfile::tempdir().unwrap();
        let dir = supervisor::Folder::at(folder.path());
        let home = Home { root: folder.path().to_owned(), dir, token: None };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let target = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move { stream.write_all(b"x").await });
            }
        });
        let any = "127.0.0.1:0".parse().unwrap();
        let link = Link { from: "a".to_owned(), to: "b".to_owned(), listen: any, target };
        let desk = Desk::of(&home);
        fs::create_dir_all(desk.file("")).unwrap();
        let keeper = Keeper::open(desk.clone(), vec![link]).await.unwrap();
        let way = keeper.ways.first().map(|(_, proxy)| proxy.addr()).unwrap();
        let stop = CancellationToken::new();
        let (ready, stopping) = (desk.file("ready"), stop.clone());
        let running = tokio::spawn(async move { keeper.run(&ready, &stopping).await });

        let what = |to: &str, gate| What::Link {
            from: "a".to_owned(),
            to: to.to_owned(),
            conditions: Conditions::gate(gate),
        };
        let until = Utc::now() + TimeDelta::seconds(1);
        desk.give(Order { until, what: what("b", Gate::Hold) }).await.unwrap();
        let mut stream = TcpStream::connect(way).await.unwrap();
        let mut byte = [0];
        // Absence is the subject.
        assert!(timeout(Duration::from_millis(50), stream.read(&mut byte)).await.is_err());
        let refused = desk.give(Order { until, what: what("c", Gate::Cut) }).await.unwrap_err();
        assert_eq!(refused.to_string(), "there is no proxy on the way from a to c");
        // Nobody takes it back.
        timeout(Duration::from_secs(5), stream.read_exact(&mut byte)).await.unwrap().unwrap();
        stop.cancel();
        running.await.unwrap().unwrap();
    }
}
