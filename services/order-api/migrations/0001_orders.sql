-- Orders, and the outbox that hands them to order-worker. An entry of the outbox carries its order's id and stays until
-- the order is settled.

CREATE TABLE orders (
    id              uuid PRIMARY KEY,
    user_id         uuid        NOT NULL,
    items           jsonb       NOT NULL,
    total_cents     bigint      NOT NULL CHECK (total_cents >= 0),
    status          text        NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'completed', 'rejected')),
    reason          text,
    idempotency_key text,
    created_at      timestamptz NOT NULL,
    settled_at      timestamptz,
    CHECK ((status = 'pending') = (settled_at IS NULL))
);

-- Ids are UUIDv7, so this is also the order of time.
CREATE INDEX orders_by_user ON orders (user_id, id);
-- Few orders are pending at any time; without this, listing them reads the whole table.
CREATE INDEX orders_pending ON orders (id) WHERE status = 'pending';
-- Partial: orders without a key cost nothing here.
CREATE UNIQUE INDEX orders_idempotency_key ON orders (idempotency_key) WHERE idempotency_key IS NOT NULL;

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
