//! Closed sets of words that drills use.

/// An enum whose variants are words of a file, written in kebab-case.
macro_rules! words {
    ($(#[doc = $about:literal])* $name:ident { $( $(#[doc = $doc:literal])* $variant:ident, )* }) => {
        $(#[doc = $about])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize, strum::Display,
            strum::EnumCount, strum::EnumString, strum::VariantArray, strum::VariantNames,
        )]
        #[serde(rename_all = "kebab-case")]
        #[strum(serialize_all = "kebab-case")]
        pub enum $name { $( $(#[doc = $doc])* $variant, )* }
    };
}

words! {
    /// How hard a drill is, the easiest first.
    Difficulty {
        /// For the first day: one cause, one signal, one way out.
        FirstDay,
        /// One cause, and the page points to it.
        Easy,
        /// The page points elsewhere.
        Medium,
        /// Several causes look alike, or the obvious action makes it worse.
        Hard,
        /// Several things at once, or telemetry that misleads.
        Brutal,
    }
}

words! {
    /// Where the cause is.
    Layer {
        /// Requests to a service.
        Http,
        /// Calls from one service to another.
        Upstream,
        /// PostgreSQL, or the way to it.
        Database,
        /// Redis, or the way to it.
        Cache,
        /// The broker, its producers and its consumers.
        Broker,
        /// The process: CPU, memory, descriptors, disk, its life.
        Runtime,
        /// What the shop means: totals, changes of users.
        Business,
        /// Metrics, logs, traces, alerts.
        Observability,
        /// What callers send.
        Traffic,
    }
}

words! {
    /// What is special about a drill.
    Trait {
        /// A change is the cause: a release, a flag, configuration, a credential.
        ChangeInduced,
        /// Part of the users or requests is affected, or nothing fails visibly.
        Gray,
        /// It stays after its trigger is gone.
        Metastable,
        /// Nothing is wrong: to do nothing is right.
        NothingWrong,
        /// It begins long before anybody notices.
        Slow,
        /// Several causes at once.
        Several,
        /// One cause hides behind another.
        Hidden,
    }
}

words! {
    /// What a drill needs beside the lab itself.
    Need {
        /// The exporter of PostgreSQL.
        PostgresExporter,
        /// The exporter of Redis.
        RedisExporter,
        /// Several replicas of a service behind a balancer.
        Replicas,
        /// A cluster.
        Kubernetes,
        /// A lab on this machine, whose parts can be stopped.
        Lab,
        /// A streaming replica of PostgreSQL, and the exporter that says how far behind it is.
        PostgresReplica,
        /// Backups, and the exporter that says how old they are.
        Backups,
        /// Backups in the object store of a lab on this machine.
        BackupsInBucket,
        /// Queues of a cloud, and the notifier that reads them.
        Cloud,
    }
}

words! {
    /// What kind of change the trainee sees in the list of changes.
    ChangeKind {
        /// Another version of a service.
        Release,
        /// A flag.
        Flag,
        /// A setting.
        Configuration,
        /// A change of a database schema.
        Migration,
        /// A password, key or certificate.
        Credential,
    }
}

words! {
    /// What becomes of a rule of the firewall.
    RuleState {
        /// It does not run.
        Off,
        /// It counts what it finds, and blocks nothing.
        Simulate,
        /// It blocks what it finds.
        Enforce,
        /// What its file says; a rule without a file is gone.
        Restored,
    }
}

words! {
    /// What a guard of the lab has to refuse. Verification tries it, and it is proven that nothing comes of it.
    Guarded {
        /// A restore that somebody types here and means for another instance: the name is not that of this lab.
        RestoreOfAnother,
        /// To start the old primary again although its replica was promoted: its fence stays.
        StartOldPrimary,
    }
}

words! {
    /// What must hold in the databases at the end, while the load continues.
    Invariant {
        /// Every order that was accepted more than half a minute ago is settled exactly once, as its payment says.
        SettledOnce,
        /// Nothing has been waiting in an outbox for more than half a minute.
        OutboxesEmpty,
    }
}

words! {
    /// How a run of the validity suite must end.
    Expected {
        /// With a failure to recover.
        Fails,
        /// With success.
        Passes,
        /// Either way.
        Either,
    }
}

words! {
    /// What is scored.
    Criterion {
        /// From the start until somebody knew.
        Detect,
        /// From the first page until a person took it.
        Acknowledge,
        /// The right components, and evidence that lies on the causal path.
        Localise,
        /// Mechanism, change and time of the start.
        Explain,
        /// Until users were no longer affected.
        Mitigate,
        /// Until everything was good again.
        Recover,
        /// Updates for others, in time.
        Communicate,
        /// The error budget that was burned.
        Budget,
    }
}

impl Criterion {
    /// All, in the order of a scorecard.
    pub const ALL: [Self; <Self as strum::EnumCount>::COUNT] =
        *<Self as strum::VariantArray>::VARIANTS.first_chunk().expect("all of them");
}
