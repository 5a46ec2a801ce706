-- The tables of order-api (services/order-api/migrations) under other names, with the same types and indexes.
CREATE SCHEMA bench;
CREATE TABLE bench.orders (LIKE public.orders INCLUDING ALL);
CREATE TABLE bench.outbox (LIKE public.outbox INCLUDING ALL);
