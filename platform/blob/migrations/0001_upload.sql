-- Files being taken in by pieces (分片上传).
CREATE TABLE blob_upload (
  id TEXT PRIMARY KEY,
  owner TEXT NOT NULL,
  ext TEXT NOT NULL,
  size BIGINT NOT NULL, -- declared; 0 is not known yet
  sm3 TEXT NOT NULL, -- declared; empty is not declared
  most BIGINT NOT NULL, -- bytes this upload may have
  received BIGINT NOT NULL,
  state TEXT NOT NULL, -- open, done, dropped
  hash TEXT NOT NULL, -- of the finished file
  staged BOOLEAN NOT NULL, -- pieces may be on the stage
  created_at BIGINT NOT NULL,
  touched_at BIGINT NOT NULL
);

CREATE INDEX blob_upload_stale ON blob_upload (touched_at) WHERE staged;

CREATE TABLE blob_chunk (
  upload_id TEXT NOT NULL REFERENCES blob_upload (id),
  start BIGINT NOT NULL,
  size BIGINT NOT NULL,
  hash TEXT NOT NULL,
  PRIMARY KEY (upload_id, start)
);
