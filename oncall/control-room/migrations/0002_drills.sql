-- Runs of drills. At most one goes on.
CREATE TABLE drill_runs (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    drill      TEXT    NOT NULL,
    -- The drill's file as it was when the run began: an edit changes only runs that begin later.
    file       TEXT    NOT NULL,
    -- 1: the responder does not know which drill it is until the run is over
    mystery    INTEGER NOT NULL,
    responder  TEXT    NOT NULL,
    -- solution, nothing, restart-all; NULL: a person's or an agent's run
    verify     TEXT,
    -- drill::engine::Start
    start      TEXT    NOT NULL,
    -- Number of the last row of the journal from which something followed.
    followed   INTEGER NOT NULL,
    ended_at   INTEGER,
    verdict    TEXT,
    -- 0 to 100; NULL: it is not scored
    score      INTEGER,
    -- drill::Outcome; NULL: the reset was given up
    outcome    TEXT,
    -- How users were served: drills::curve::Sketch
    curve      TEXT,
    -- What the responder learned, Markdown.
    learned    TEXT
);
CREATE UNIQUE INDEX drill_runs_open ON drill_runs (ended_at IS NULL) WHERE ended_at IS NULL;
CREATE INDEX drill_runs_by_drill ON drill_runs (drill, id);
CREATE INDEX drill_runs_by_responder ON drill_runs (responder, id);

-- What happened in a run, in order. Rows are only added. What was looked at goes when the run is over: its outcome says what
-- was seen.
CREATE TABLE drill_events (
    seq    INTEGER PRIMARY KEY AUTOINCREMENT,
    run    INTEGER NOT NULL,
    at     INTEGER NOT NULL,
    author TEXT    NOT NULL,
    -- 1: a look
    look   INTEGER NOT NULL,
    -- drills::live::Happened
    data   TEXT    NOT NULL
);
CREATE INDEX drill_events_by_run ON drill_events (run, seq);
