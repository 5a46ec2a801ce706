-- Releases: to find them without replaying all.
CREATE TABLE releases (
    -- 7 is REL-7
    id         INTEGER PRIMARY KEY,
    service    TEXT    NOT NULL,
    -- releases::Record: what runs as old and new version
    data       TEXT    NOT NULL,
    started_at INTEGER NOT NULL,
    ended_at   INTEGER,
    -- release::dora::Delivery, once it is over
    delivery   TEXT
);
CREATE INDEX releases_open ON releases (id) WHERE ended_at IS NULL;
CREATE INDEX releases_by_end ON releases (ended_at) WHERE ended_at IS NOT NULL;

-- What happened to a release, in order: release::run::Event. A release is the result of these.
CREATE TABLE release_events (
    run  INTEGER NOT NULL,
    n    INTEGER NOT NULL,
    at   INTEGER NOT NULL,
    data TEXT    NOT NULL,
    PRIMARY KEY (run, n)
) WITHOUT ROWID;
