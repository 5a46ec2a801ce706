-- Whether the order of an entry was already counted as late, so that each order is judged once, whatever is restarted and
-- however many replicas judge. The entry goes when its order is settled, and the flag with it: nothing is left to clean up.
ALTER TABLE outbox ADD COLUMN late boolean NOT NULL DEFAULT false;
