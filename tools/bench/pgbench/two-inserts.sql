-- An order and its outbox entry in one transaction, with the sizes that order-api writes.
\set user random(0, 9999)
BEGIN;
INSERT INTO bench.orders (id, user_id, items, total_cents, created_at)
VALUES (gen_random_uuid(), ('01900000-0000-7000-8000-' || lpad((:user::text), 12, '0'))::uuid,
        '[{"sku":"SKU-1","quantity":2,"unit_price_cents":1999},{"sku":"SKU-7","quantity":1,"unit_price_cents":549}]', 4547, now());
INSERT INTO bench.outbox (id, topic, key, payload, headers)
VALUES (gen_random_uuid(), 'orders', gen_random_uuid()::text,
        '{"version":1,"event_id":"01900000-0000-7000-8000-000000000000","order_id":"01900000-0000-7000-8000-000000000000","user_id":"01900000-0000-7000-8000-000000000000","items":[{"sku":"SKU-1","quantity":2,"unit_price_cents":1999},{"sku":"SKU-7","quantity":1,"unit_price_cents":549}],"total_cents":4547,"placed_at":"2026-01-01T00:00:00.000000Z"}',
        '{"traceparent":"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}');
COMMIT;
