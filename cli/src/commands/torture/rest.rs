//! The end of a run: the load stops, everything settles, and the databases are compared with the callers' answers.

use std::time::{Duration, Instant};

use anyhow::Result;
use observe::Peer;
use reconcile::{Keys, Report as Books, check_keys};
use reqwest::Method;
use supervisor::ports::Ports;

use super::clients::Clients;
use crate::{home::Home, parts::postgres, secrets::Secrets, terminal::say};

/// How often the books are read; each reading includes all orders of the run.
const PERIOD: Duration = Duration::from_secs(1);

/// How often the user is told what is still missing.
const TELL: Duration = Duration::from_secs(5);

/// Addresses of the lab under torture.
pub(in crate::commands) struct Addresses {
    pub(in crate::commands) order_api: String,
    load: Peer,
    pub(in crate::commands) orders: String,
    fulfillment: String,
}

impl Addresses {
    /// Of a lab with these ports.
    ///
    /// # Errors
    /// When the passwords of its databases can be neither read nor created.
    pub(in crate::commands) fn new(ports: &Ports, home: &Home) -> Result<Self> {
        let http = |name| format!("http://127.0.0.1:{}", ports.get(name));
        let secrets = Secrets::of(home);
        let database = |name| postgres::url(&secrets, ports.get("postgres"), name);
        Ok(Self {
            order_api: http("order-api"),
            load: Peer::at(http("load-admin")).token(home.token.clone()),
            orders: database("orders")?,
            fulfillment: database("fulfillment")?,
        })
    }
}

/// What to wait for.
pub(in crate::commands) struct Rest<'a> {
    pub(in crate::commands) addresses: &'a Addresses,
    pub(in crate::commands) clients: &'a Clients,
    pub(in crate::commands) prefix: &'a str,
    pub(in crate::commands) deadline: Duration,
}

/// The outcome.
pub(in crate::commands) struct Settled {
    /// Time until every check passed; `None` if they never did.
    pub(in crate::commands) after: Option<Duration>,
    pub(in crate::commands) books: Option<Books>,
    /// Failed checks, or why the books could not be read.
    pub(in crate::commands) violations: Vec<String>,
}

impl Rest<'_> {
    /// Waits until every key is answered and the books hold, or the deadline has passed.
    pub(in crate::commands) async fn settle(&self) -> Settled {
        let began = Instant::now();
        say("torture: the load ends; waiting until everything is settled");
        let mut told = Instant::now();
        loop {
            let look = self.look().await;
            if told.elapsed() >= TELL && !look.violations.is_empty() {
                told = Instant::now();
                // Without the ids, which are of interest only in the report.
                let words = |sentence: &String| sentence.split(": ").next().unwrap_or_default().to_owned();
                let why: Vec<String> = look.violations.iter().map(words).collect();
                say(format!("{:>6.1} s  {}", began.elapsed().as_secs_f64(), why.join("; ")));
            }
            let after = Some(began.elapsed()).filter(|_| look.violations.is_empty());
            if after.is_some() || began.elapsed() >= self.deadline {
                return Settled { after, ..look };
            }
            tokio::time::sleep(PERIOD).await;
        }
    }

    async fn look(&self) -> Settled {
        let failed = |why: String| Settled { after: None, books: None, violations: vec![why] };
        // Each time: the generator may just have been restarted, at its usual rate.
        let paused = self.addresses.load.call(Method::PUT, "/rate", &[("rps", "0")]).await;
        if let Err(error) = paused {
            return failed(format!("the load generator does not stop: {error}"));
        }
        let notes = self.clients.notes();
        if notes.waiting() > 0 {
            // The report names them; there is no point in reading the books yet.
            return failed(format!("{} keys are waiting for an answer", notes.waiting()));
        }
        let keys = Keys { prefix: self.prefix, answered: &notes.answered };
        match check_keys(&self.addresses.orders, &self.addresses.fulfillment, keys).await {
            Ok(books) => Settled { after: None, violations: books.violations.clone(), books: Some(books) },
            Err(error) => failed(format!("the databases cannot be read: {error}")),
        }
    }
}
