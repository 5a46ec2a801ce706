-- Whether an order was counted as late, so that each order is judged once, whatever is restarted and however many replicas
-- judge. It is a fact of the order; until now it was kept in the outbox, whose table is the relay's own.
--
-- Safe to run beside the version before, which goes on reading and setting `outbox.late`: the column stays for it, with its
-- default, and goes with a later release. An order that is late while both run may be counted by both.
ALTER TABLE orders ADD COLUMN IF NOT EXISTS late boolean NOT NULL DEFAULT false;
UPDATE orders SET late = true FROM outbox WHERE outbox.id = orders.id AND outbox.late AND NOT orders.late;
