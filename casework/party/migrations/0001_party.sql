CREATE TABLE pty_party (
  id TEXT PRIMARY KEY,
  bundle TEXT NOT NULL,
  kind TEXT NOT NULL,
  person TEXT NOT NULL,
  org TEXT NOT NULL,
  name_sealed TEXT NOT NULL,
  mobile_sealed TEXT NOT NULL,
  roles TEXT NOT NULL,
  needs TEXT NOT NULL,
  done TEXT NOT NULL,
  ord BIGINT NOT NULL,
  state TEXT NOT NULL,
  digest TEXT NOT NULL,
  token_hash TEXT NOT NULL,
  asked_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  done_at BIGINT NOT NULL,
  reason TEXT NOT NULL,
  reminded_at BIGINT NOT NULL
);
CREATE INDEX pty_party_bundle ON pty_party (bundle, ord, id);
CREATE INDEX pty_party_person ON pty_party (person, state);
CREATE INDEX pty_party_org ON pty_party (org, state);
CREATE INDEX pty_party_token ON pty_party (token_hash);
CREATE INDEX pty_party_expiry ON pty_party (state, expires_at);

CREATE TABLE pty_evidence (
  id TEXT PRIMARY KEY,
  party TEXT NOT NULL,
  kind TEXT NOT NULL,
  digest TEXT NOT NULL,
  sm3 TEXT NOT NULL,
  detail TEXT NOT NULL,
  at BIGINT NOT NULL
);
CREATE INDEX pty_evidence_party ON pty_evidence (party, at);

CREATE TABLE pty_recording (
  id TEXT PRIMARY KEY,
  party TEXT NOT NULL,
  case_id TEXT NOT NULL,
  mime TEXT NOT NULL,
  state TEXT NOT NULL,
  duration_ms BIGINT NOT NULL,
  answers TEXT NOT NULL,
  digest TEXT NOT NULL,
  chain TEXT NOT NULL,
  started_at BIGINT NOT NULL,
  ended_at BIGINT NOT NULL,
  review TEXT NOT NULL,
  review_by TEXT NOT NULL,
  review_at BIGINT NOT NULL,
  review_reason TEXT NOT NULL
);
CREATE INDEX pty_recording_party ON pty_recording (party, started_at);
CREATE INDEX pty_recording_case ON pty_recording (case_id);

CREATE TABLE pty_chunk (
  recording TEXT NOT NULL,
  n BIGINT NOT NULL,
  sm3 TEXT NOT NULL,
  size BIGINT NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (recording, n)
);
