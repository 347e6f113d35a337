-- Who did what to which thing (审计日志). Rows are only ever added.
CREATE TABLE audit_event (
  id TEXT PRIMARY KEY, -- UUIDv7: its order is the order of writing
  at BIGINT NOT NULL, -- business time
  wall_at BIGINT NOT NULL, -- wall time
  type TEXT NOT NULL,
  outcome TEXT NOT NULL, -- ok, refused, failed
  actor TEXT NOT NULL,
  actor_kind TEXT NOT NULL,
  subject TEXT NOT NULL,
  case_id TEXT NOT NULL,
  code TEXT NOT NULL, -- of the refusal or failure
  ip TEXT NOT NULL,
  detail TEXT NOT NULL, -- JSON object of text
  prev TEXT NOT NULL, -- kept for a chain of digests
  mac TEXT NOT NULL -- hex, over all but itself and prev; empty until sealed
);

CREATE INDEX audit_event_actor ON audit_event (actor, id);
CREATE INDEX audit_event_case ON audit_event (case_id, id) WHERE case_id <> '';
CREATE INDEX audit_event_subject ON audit_event (subject, id) WHERE subject <> '';
CREATE INDEX audit_event_type ON audit_event (type, id);
CREATE INDEX audit_event_unsealed ON audit_event (id) WHERE mac = '';
