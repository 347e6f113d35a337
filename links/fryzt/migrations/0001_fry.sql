CREATE TABLE fry_login (
    state_hash   TEXT   NOT NULL PRIMARY KEY, -- SM3 of the state
    browser_hash TEXT   NOT NULL,             -- SM3 of what the browser must bring back
    to_path      TEXT   NOT NULL,
    expires_at   BIGINT NOT NULL
);
CREATE INDEX fry_login_expiry ON fry_login (expires_at);
