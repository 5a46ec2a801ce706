-- What the API declared beside the files of the checkout: it counts together with what they say.
CREATE TABLE declared (
    -- schedule, policy (duty::Part), or guardrail
    kind       TEXT    NOT NULL,
    name       TEXT    NOT NULL,
    -- as the file would have it, without the name
    data       TEXT    NOT NULL,
    changed_by TEXT    NOT NULL,
    changed_at INTEGER NOT NULL,
    PRIMARY KEY (kind, name)
) WITHOUT ROWID;
