CREATE TABLE lnk_exchange (
    id              TEXT    NOT NULL PRIMARY KEY,
    system          TEXT    NOT NULL,
    direction       TEXT    NOT NULL, -- out: we asked; in: they told
    api             TEXT    NOT NULL,
    biz             TEXT    NOT NULL, -- business number, never personal data
    trace           TEXT    NOT NULL,
    peer            TEXT    NOT NULL, -- address of the other side
    request_sm3     TEXT    NOT NULL,
    response_sm3    TEXT    NOT NULL,
    status          INTEGER NOT NULL, -- HTTP status, 0 if there was no answer
    code            TEXT    NOT NULL, -- envelope code, '' if there was none
    failure         TEXT    NOT NULL, -- our stable error code, '' if all went well
    signature       TEXT    NOT NULL, -- ok, bad or none
    cost_ms         BIGINT  NOT NULL,
    at              BIGINT  NOT NULL,
    request_sealed  BYTEA,
    response_sealed BYTEA
);
CREATE INDEX lnk_exchange_biz ON lnk_exchange (system, biz, at);
CREATE INDEX lnk_exchange_at ON lnk_exchange (at);

CREATE TABLE lnk_nonce (
    system TEXT   NOT NULL,
    nonce  TEXT   NOT NULL,
    at     BIGINT NOT NULL,
    PRIMARY KEY (system, nonce)
);
CREATE INDEX lnk_nonce_at ON lnk_nonce (at);

CREATE TABLE lnk_inbox (
    id         TEXT    NOT NULL PRIMARY KEY,
    source     TEXT    NOT NULL,
    biz_no     TEXT    NOT NULL,
    event      TEXT    NOT NULL,
    version    BIGINT  NOT NULL,
    event_id   TEXT    NOT NULL,
    digest     TEXT    NOT NULL, -- SM3 of the payload: the same key never comes with two contents
    state      TEXT    NOT NULL, -- early: kept until its case is known; done: had its effect
    sealed     BYTEA,            -- the whole event while it waits
    arrived_at BIGINT  NOT NULL,
    done_at    BIGINT,
    tries      INTEGER NOT NULL,
    UNIQUE (source, biz_no, event, version)
);
CREATE INDEX lnk_inbox_waiting ON lnk_inbox (state, source, arrived_at);
