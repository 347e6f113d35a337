CREATE TABLE ident_person (
    id         TEXT    PRIMARY KEY,
    idno_ix    TEXT    NOT NULL UNIQUE,
    mobile_ix  TEXT    NOT NULL DEFAULT '',
    phone_ix   TEXT    NOT NULL DEFAULT '',
    level      INTEGER NOT NULL,
    created_at BIGINT  NOT NULL,
    updated_at BIGINT  NOT NULL
);
CREATE INDEX ident_person_mobile ON ident_person (mobile_ix);
CREATE INDEX ident_person_phone ON ident_person (phone_ix);

CREATE TABLE ident_claim (
    person_id TEXT   NOT NULL REFERENCES ident_person (id),
    field     TEXT   NOT NULL,
    sealed    BYTEA  NOT NULL,
    source    TEXT   NOT NULL,
    at        BIGINT NOT NULL,
    PRIMARY KEY (person_id, field)
);

CREATE TABLE ident_phone_code (
    person_id    TEXT    PRIMARY KEY REFERENCES ident_person (id),
    mobile_ix    TEXT    NOT NULL,
    mac          BYTEA   NOT NULL,
    sent_at      BIGINT  NOT NULL,
    expires_at   BIGINT  NOT NULL,
    wrong        INTEGER NOT NULL,
    locked_until BIGINT  NOT NULL,
    day_start    BIGINT  NOT NULL,
    day_count    INTEGER NOT NULL
);
CREATE INDEX ident_phone_code_mobile ON ident_phone_code (mobile_ix, sent_at);

CREATE TABLE ident_org (
    id         TEXT   PRIMARY KEY,
    kind       TEXT   NOT NULL,
    code       TEXT   UNIQUE,
    name       TEXT   NOT NULL,
    parent     TEXT   NOT NULL DEFAULT '',
    district   TEXT   NOT NULL DEFAULT '',
    uscc       TEXT   UNIQUE,
    valid_from BIGINT NOT NULL,
    valid_to   BIGINT NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL
);
CREATE INDEX ident_org_kind ON ident_org (kind, district, name);
CREATE INDEX ident_org_parent ON ident_org (parent);

CREATE TABLE ident_member (
    org_id     TEXT   NOT NULL REFERENCES ident_org (id),
    person_id  TEXT   NOT NULL REFERENCES ident_person (id),
    role       TEXT   NOT NULL,
    matters    TEXT   NOT NULL,
    source     TEXT   NOT NULL,
    valid_from BIGINT NOT NULL,
    valid_to   BIGINT NOT NULL DEFAULT 0,
    mac        BYTEA  NOT NULL,
    PRIMARY KEY (org_id, person_id)
);
CREATE INDEX ident_member_person ON ident_member (person_id);

CREATE TABLE ident_grant (
    id         TEXT   PRIMARY KEY,
    from_kind  TEXT   NOT NULL,
    from_id    TEXT   NOT NULL,
    to_org     TEXT   NOT NULL REFERENCES ident_org (id),
    matters    TEXT   NOT NULL,
    unit       TEXT   NOT NULL,
    until_at   BIGINT NOT NULL,
    state      TEXT   NOT NULL,
    opened_at  BIGINT NOT NULL,
    opened_by  TEXT   NOT NULL,
    revoked_at BIGINT NOT NULL DEFAULT 0,
    revoked_by TEXT   NOT NULL DEFAULT '',
    mac        BYTEA  NOT NULL
);
CREATE INDEX ident_grant_from ON ident_grant (from_id, to_org);
CREATE INDEX ident_grant_to ON ident_grant (to_org);

CREATE TABLE ident_user (
    id          TEXT    PRIMARY KEY,
    account     TEXT    NOT NULL UNIQUE,
    name        TEXT    NOT NULL,
    org_id      TEXT    NOT NULL REFERENCES ident_org (id),
    pw_hash     TEXT    NOT NULL,
    pw_at       BIGINT  NOT NULL,
    must_change BOOLEAN NOT NULL,
    state       TEXT    NOT NULL,
    otp         BYTEA   NOT NULL,
    otp_step    BIGINT  NOT NULL,
    created_at  BIGINT  NOT NULL,
    created_by  TEXT    NOT NULL,
    mac         BYTEA   NOT NULL
);
CREATE INDEX ident_user_org ON ident_user (org_id);

CREATE TABLE ident_pw_history (
    id      TEXT   PRIMARY KEY,
    user_id TEXT   NOT NULL REFERENCES ident_user (id),
    at      BIGINT NOT NULL,
    hash    TEXT   NOT NULL
);
CREATE INDEX ident_pw_history_user ON ident_pw_history (user_id, id);

CREATE TABLE ident_post (
    id         TEXT   PRIMARY KEY,
    user_id    TEXT   NOT NULL REFERENCES ident_user (id),
    role       TEXT   NOT NULL,
    org_id     TEXT   NOT NULL REFERENCES ident_org (id),
    office     TEXT   NOT NULL,
    district   TEXT   NOT NULL,
    matters    TEXT   NOT NULL,
    granted_at BIGINT NOT NULL,
    granted_by TEXT   NOT NULL,
    ended_at   BIGINT NOT NULL DEFAULT 0,
    ended_by   TEXT   NOT NULL DEFAULT '',
    mac        BYTEA  NOT NULL
);
CREATE INDEX ident_post_user ON ident_post (user_id, ended_at);
CREATE INDEX ident_post_role ON ident_post (role, ended_at);

CREATE TABLE ident_lock (
    account_ix   TEXT    PRIMARY KEY,
    fails        INTEGER NOT NULL,
    first_at     BIGINT  NOT NULL,
    locked_until BIGINT  NOT NULL
);

CREATE TABLE ident_session (
    id         TEXT   PRIMARY KEY,
    token_hash TEXT   NOT NULL UNIQUE,
    audience   TEXT   NOT NULL,
    step       TEXT   NOT NULL,
    person_id  TEXT   NOT NULL DEFAULT '',
    user_id    TEXT   NOT NULL DEFAULT '',
    org_id     TEXT   NOT NULL DEFAULT '',
    method     TEXT   NOT NULL,
    device     TEXT   NOT NULL,
    ip         TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    last_at    BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    revoked_at BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX ident_session_person ON ident_session (person_id, created_at);
CREATE INDEX ident_session_user ON ident_session (user_id, created_at);
CREATE INDEX ident_session_expiry ON ident_session (expires_at);

CREATE TABLE ident_login (
    state_hash TEXT   PRIMARY KEY,
    provider   TEXT   NOT NULL,
    sealed     BYTEA  NOT NULL,
    to_path    TEXT   NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX ident_login_expiry ON ident_login (expires_at);

