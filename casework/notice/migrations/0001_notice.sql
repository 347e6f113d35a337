CREATE TABLE sms_message (
  id TEXT PRIMARY KEY,
  case_id TEXT NOT NULL,
  seq BIGINT NOT NULL,
  receiver TEXT NOT NULL,
  receiver_kind TEXT NOT NULL,
  role TEXT NOT NULL,
  text TEXT NOT NULL,
  state TEXT NOT NULL,
  ref TEXT NOT NULL,
  at BIGINT NOT NULL,
  sent_at BIGINT NOT NULL,
  UNIQUE (case_id, seq, receiver)
);
CREATE INDEX sms_message_state ON sms_message (state, at);
