CREATE TABLE con_consult (
  id TEXT PRIMARY KEY,
  case_id TEXT NOT NULL,
  dept TEXT NOT NULL,
  dept_name TEXT NOT NULL,
  level TEXT NOT NULL,
  content TEXT NOT NULL,
  state TEXT NOT NULL,
  assist_no TEXT NOT NULL,
  asked_at BIGINT NOT NULL,
  reply_by TEXT NOT NULL,
  replied_at BIGINT NOT NULL,
  opinion TEXT NOT NULL,
  text TEXT NOT NULL,
  supplement_id TEXT NOT NULL,
  supplement_items TEXT NOT NULL,
  supplement_until BIGINT NOT NULL,
  sent_files TEXT NOT NULL
);
CREATE INDEX con_consult_case ON con_consult (case_id, asked_at);
CREATE INDEX con_consult_assist ON con_consult (assist_no);
