CREATE TABLE res_result (
  id TEXT PRIMARY KEY,
  case_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  no TEXT NOT NULL UNIQUE,
  state TEXT NOT NULL,
  reason TEXT NOT NULL,
  subject TEXT NOT NULL,
  version BIGINT NOT NULL,
  material TEXT NOT NULL,
  facts_sealed TEXT NOT NULL,
  reserved_at BIGINT NOT NULL,
  issued_at BIGINT NOT NULL,
  qr_token TEXT NOT NULL UNIQUE,
  qr_on BOOLEAN NOT NULL,
  qr_until BIGINT NOT NULL,
  qr_fields TEXT NOT NULL,
  next TEXT NOT NULL,
  UNIQUE (case_id, kind, version)
);

CREATE TABLE res_holder (
  scope TEXT NOT NULL,
  result TEXT NOT NULL,
  PRIMARY KEY (scope, result)
);
CREATE INDEX res_holder_result ON res_holder (result);
CREATE INDEX res_result_subject ON res_result (subject);
