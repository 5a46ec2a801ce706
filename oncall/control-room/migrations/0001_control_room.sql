-- Times are INTEGER: microseconds since 1970, UTC. Data is JSON text.

-- Everything that happened, in order. Rows are never changed: it is the audit log, and what pages and the event stream replay.
CREATE TABLE journal (
    seq      INTEGER PRIMARY KEY AUTOINCREMENT,
    at       INTEGER NOT NULL,
    -- bus::Kind
    kind     TEXT    NOT NULL,
    incident INTEGER,
    -- 1: for instructors only, until the incident is closed
    sealed   INTEGER NOT NULL DEFAULT 0,
    -- kind 'incident': incident::Event; others: as their module says
    data     TEXT    NOT NULL
);
CREATE INDEX journal_by_incident ON journal (incident, seq) WHERE incident IS NOT NULL;
CREATE INDEX journal_by_kind ON journal (kind, seq);

-- One row per incident, derived from its events: to find incidents without replaying all.
CREATE TABLE incidents (
    id         INTEGER PRIMARY KEY,
    state      TEXT    NOT NULL,
    severity   INTEGER NOT NULL,
    title      TEXT    NOT NULL,
    -- affected services, a JSON array
    services   TEXT    NOT NULL,
    opened_at  INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
);
CREATE INDEX incidents_by_state ON incidents (state, id);

-- Alerts by fingerprint and start: what has been seen, so that a repetition changes nothing.
CREATE TABLE alerts (
    fingerprint TEXT    NOT NULL,
    -- RFC 3339 with all its digits: it is half of the key, and must be found again as it was sent
    starts_at   TEXT    NOT NULL,
    firing      INTEGER NOT NULL,
    seen        INTEGER NOT NULL,
    PRIMARY KEY (fingerprint, starts_at)
) WITHOUT ROWID;
CREATE INDEX alerts_ended ON alerts (seen) WHERE firing = 0;

-- What reached the phone of the person on call: `lab pages`.
CREATE TABLE phone (
    id   INTEGER PRIMARY KEY AUTOINCREMENT,
    at   INTEGER NOT NULL,
    data TEXT    NOT NULL
);

-- The policy that an incident's escalation follows: a changed file changes only escalations that begin later.
CREATE TABLE escalations (
    incident INTEGER PRIMARY KEY,
    opened_at INTEGER NOT NULL,
    policy   TEXT    NOT NULL
);

-- Steps of an escalation that have been handed over for sending.
CREATE TABLE steps (
    incident INTEGER NOT NULL,
    step     TEXT    NOT NULL,
    at       INTEGER NOT NULL,
    PRIMARY KEY (incident, step)
) WITHOUT ROWID;

-- The outbox of notifications. A row goes queued -> sending -> sent | failed | unknown.
CREATE TABLE deliveries (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    -- idempotency key, such as INC-1/0.0.2/ada/desktop
    key        TEXT    NOT NULL UNIQUE,
    incident   INTEGER,
    step       TEXT,
    -- person, room (the war room), service (a webhook of a policy), pagerduty
    person     TEXT,
    channel    TEXT    NOT NULL,
    address    TEXT,
    message    TEXT    NOT NULL,
    state      TEXT    NOT NULL DEFAULT 'queued',
    attempts   INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    next_at    INTEGER NOT NULL,
    done_at    INTEGER,
    error      TEXT
);
CREATE INDEX deliveries_open ON deliveries (state, next_at) WHERE state IN ('queued', 'sending');
CREATE INDEX deliveries_by_incident ON deliveries (incident, id);

-- Overrides of schedules that were made on the page or by the API.
CREATE TABLE overrides (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    schedule   TEXT    NOT NULL,
    data       TEXT    NOT NULL,
    created_by TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    removed_at INTEGER
);

-- War rooms: where people talk about an incident.
CREATE TABLE war_rooms (
    incident INTEGER PRIMARY KEY,
    -- thread (this program's own) or slack
    kind     TEXT    NOT NULL,
    channel  TEXT,
    -- Slack's timestamp of the summary that is edited in place
    summary  TEXT,
    url      TEXT,
    state    TEXT    NOT NULL DEFAULT 'open'
);
CREATE TABLE messages (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    incident INTEGER NOT NULL,
    at       INTEGER NOT NULL,
    author   TEXT    NOT NULL,
    text     TEXT    NOT NULL
);
CREATE INDEX messages_by_incident ON messages (incident, id);

-- Every version of every postmortem.
CREATE TABLE postmortems (
    incident INTEGER NOT NULL,
    version  INTEGER NOT NULL,
    at       INTEGER NOT NULL,
    author   TEXT    NOT NULL,
    text     TEXT    NOT NULL,
    PRIMARY KEY (incident, version)
) WITHOUT ROWID;

-- Keys and values of the program itself, such as the key that signs sessions.
CREATE TABLE settings (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;
