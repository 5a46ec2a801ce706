-- Runs of runbooks: to find them without replaying all.
CREATE TABLE runbook_runs (
    -- 7 is RUN-7
    id         INTEGER PRIMARY KEY,
    runbook    TEXT    NOT NULL,
    incident   INTEGER,
    -- the alert that automation began it for: fingerprint and start, so that one alert begins one run
    alert      TEXT,
    started_at INTEGER NOT NULL,
    ended_at   INTEGER
);
CREATE INDEX runbook_runs_open ON runbook_runs (id) WHERE ended_at IS NULL;
CREATE UNIQUE INDEX runbook_runs_by_alert ON runbook_runs (alert) WHERE alert IS NOT NULL;
CREATE INDEX runbook_runs_by_incident ON runbook_runs (incident) WHERE incident IS NOT NULL;

-- What happened to a run, in order: runbook::Event. A run is the result of these.
CREATE TABLE runbook_events (
    run  INTEGER NOT NULL,
    n    INTEGER NOT NULL,
    at   INTEGER NOT NULL,
    data TEXT    NOT NULL,
    PRIMARY KEY (run, n)
) WITHOUT ROWID;

-- Acts by their idempotency key: the same key is done once, even by several runs. ok is absent while it is done.
CREATE TABLE runbook_acts (
    key TEXT    PRIMARY KEY,
    run INTEGER NOT NULL,
    ok  INTEGER
) WITHOUT ROWID;

-- What guardrails keep in mind: runbook::guardrails::Entry.
CREATE TABLE runbook_ledger (
    seq  INTEGER PRIMARY KEY AUTOINCREMENT,
    at   INTEGER NOT NULL,
    data TEXT    NOT NULL
);

-- What a person has to be paged with, because automation has switched itself off.
CREATE TABLE runbook_pages (
    seq      INTEGER PRIMARY KEY AUTOINCREMENT,
    at       INTEGER NOT NULL,
    text     TEXT    NOT NULL,
    -- the incident that was opened for it; absent until then
    incident INTEGER
);

-- The audit log: a chain of hashes (runbook::audit). Rows are only added.
CREATE TABLE audit (
    seq      INTEGER PRIMARY KEY,
    at       INTEGER NOT NULL,
    who      TEXT    NOT NULL,
    action   TEXT    NOT NULL,
    data     TEXT    NOT NULL,
    previous TEXT    NOT NULL,
    hash     TEXT    NOT NULL
);
CREATE TRIGGER audit_is_never_changed BEFORE UPDATE ON audit
BEGIN
    SELECT RAISE(ABORT, 'rows of the audit log are never changed');
END;
CREATE TRIGGER audit_is_never_removed BEFORE DELETE ON audit
BEGIN
    SELECT RAISE(ABORT, 'rows of the audit log are never removed');
END;

-- The row of the journal up to which acts by hand are in the audit log.
CREATE TABLE audited (
    id  INTEGER PRIMARY KEY CHECK (id = 1),
    seq INTEGER NOT NULL
);
INSERT INTO audited (id, seq) VALUES (1, 0);

-- Work of people, and what automation took over: runbook::toil::Entry.
CREATE TABLE toil (
    -- what it was measured from, such as RUN-7/2 or INC-7/0
    key      TEXT    PRIMARY KEY,
    from_at  INTEGER NOT NULL,
    incident INTEGER,
    data     TEXT    NOT NULL
) WITHOUT ROWID;
CREATE INDEX toil_by_begin ON toil (from_at);
CREATE INDEX toil_by_incident ON toil (incident) WHERE incident IS NOT NULL;
