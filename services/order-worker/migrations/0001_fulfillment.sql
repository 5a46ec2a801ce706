-- Payments, the inbox that makes handling an order idempotent, and the outbox for the outcomes.

-- One payment an order. Its id is the id of the outcome event, so that a repeated order gets the same outcome again.
CREATE TABLE payments (
    id           uuid PRIMARY KEY,
    order_id     uuid        NOT NULL UNIQUE,
    user_id      uuid        NOT NULL,
    amount_cents bigint      NOT NULL CHECK (amount_cents >= 0),
    status       text        NOT NULL CHECK (status IN ('completed', 'declined')),
    reason       text,
    decided_at   timestamptz NOT NULL,
    CHECK ((status = 'declined') = (reason IS NOT NULL))
);

CREATE TABLE inbox (
    consumer    text        NOT NULL,
    event_id    uuid        NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (consumer, event_id)
);

-- As chassis::outbox::OUTBOX_DDL (a test compares).
CREATE TABLE outbox (
    id           uuid PRIMARY KEY,
    topic        text        NOT NULL,
    key          text        NOT NULL,
    payload      bytea       NOT NULL,
    headers      jsonb       NOT NULL DEFAULT '{}',
    created_at   timestamptz NOT NULL DEFAULT now(),
    publish_at   timestamptz NOT NULL DEFAULT now(),
    published_at timestamptz,
    attempts     integer     NOT NULL DEFAULT 0
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
CREATE INDEX outbox_due ON outbox (publish_at, id);
CREATE INDEX outbox_failed ON outbox (topic, key) WHERE published_at IS NULL AND attempts > 0;
