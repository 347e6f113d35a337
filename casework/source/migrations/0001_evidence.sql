CREATE TABLE src_evidence (
  id TEXT PRIMARY KEY,
  case_id TEXT NOT NULL,
  prefill TEXT NOT NULL,
  source TEXT NOT NULL,
  state TEXT NOT NULL,
  sealed TEXT NOT NULL,
  sm3 TEXT NOT NULL,
  at BIGINT NOT NULL
);
CREATE INDEX src_evidence_case ON src_evidence (case_id, at);
