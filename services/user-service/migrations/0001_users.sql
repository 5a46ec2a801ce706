-- Users. The tier is text with a check, so that a new one is a migration and never a silent typo.
CREATE TABLE users (
    id         uuid PRIMARY KEY,
    name       text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 100),
    email      text NOT NULL,
    tier       text NOT NULL CHECK (tier IN ('free', 'standard', 'premium')),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

-- One account an address, whatever its capitals.
CREATE UNIQUE INDEX users_email_key ON users (lower(email));
