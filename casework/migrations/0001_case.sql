CREATE TABLE cw_definition (
  digest TEXT PRIMARY KEY,
  slug TEXT NOT NULL,
  version BIGINT NOT NULL,
  body TEXT NOT NULL,
  published_at BIGINT NOT NULL
);
CREATE INDEX cw_definition_slug ON cw_definition (slug, published_at);

CREATE TABLE cw_case (
  id TEXT PRIMARY KEY,
  no TEXT UNIQUE,
  home TEXT NOT NULL,
  matter TEXT NOT NULL,
  digest TEXT NOT NULL,
  bundle TEXT NOT NULL,
  bundle_seq BIGINT NOT NULL,
  phase TEXT NOT NULL,
  district TEXT NOT NULL,
  title TEXT NOT NULL,
  channel TEXT NOT NULL,
  opener TEXT NOT NULL,
  org TEXT NOT NULL,
  opened_at BIGINT NOT NULL,
  submitted_at BIGINT NOT NULL,
  accepted_at BIGINT NOT NULL,
  closed_at BIGINT NOT NULL,
  due BIGINT NOT NULL,
  paused BOOLEAN NOT NULL,
  outcome TEXT NOT NULL,
  version BIGINT NOT NULL,
  seq BIGINT NOT NULL,
  state TEXT NOT NULL,
  form TEXT NOT NULL,
  facts TEXT NOT NULL,
  settings TEXT NOT NULL
);
CREATE INDEX cw_case_bundle ON cw_case (bundle, bundle_seq);

CREATE TABLE cw_secret (
  case_id TEXT NOT NULL,
  path TEXT NOT NULL,
  sealed TEXT NOT NULL,
  blind TEXT NOT NULL,
  PRIMARY KEY (case_id, path)
);
CREATE INDEX cw_secret_blind ON cw_secret (blind, case_id);

CREATE TABLE cw_search (
  token TEXT NOT NULL,
  case_id TEXT NOT NULL,
  field TEXT NOT NULL,
  PRIMARY KEY (token, case_id, field)
);
CREATE INDEX cw_search_case ON cw_search (case_id);

CREATE TABLE cw_see (
  scope TEXT NOT NULL,
  case_id TEXT NOT NULL,
  live BOOLEAN NOT NULL,
  due BIGINT NOT NULL,
  opened_at BIGINT NOT NULL,
  PRIMARY KEY (case_id, scope)
);
CREATE INDEX cw_see_due ON cw_see (scope, live, due, case_id);
CREATE INDEX cw_see_opened ON cw_see (scope, live, opened_at, case_id);

CREATE TABLE cw_event (
  case_id TEXT NOT NULL,
  seq BIGINT NOT NULL,
  at BIGINT NOT NULL,
  kind TEXT NOT NULL,
  actor TEXT NOT NULL,
  actor_kind TEXT NOT NULL,
  actor_name TEXT NOT NULL,
  text TEXT NOT NULL,
  reason TEXT NOT NULL,
  data TEXT NOT NULL,
  PRIMARY KEY (case_id, seq)
);
CREATE INDEX cw_event_at ON cw_event (at, case_id, seq);

CREATE TABLE cw_task (
  id TEXT PRIMARY KEY,
  case_id TEXT NOT NULL,
  tkey TEXT NOT NULL,
  node TEXT NOT NULL,
  name TEXT NOT NULL,
  kind TEXT NOT NULL,
  role TEXT NOT NULL,
  office TEXT NOT NULL,
  matter TEXT NOT NULL,
  district TEXT NOT NULL,
  state TEXT NOT NULL,
  assignee TEXT NOT NULL,
  parent TEXT NOT NULL,
  due BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  done_at BIGINT NOT NULL,
  done_by TEXT NOT NULL,
  outcome TEXT NOT NULL,
  opinion TEXT NOT NULL
);
CREATE INDEX cw_task_case ON cw_task (case_id, state);
CREATE INDEX cw_task_role ON cw_task (role, district, state, due, id);
CREATE INDEX cw_task_city ON cw_task (role, state, due, id);
CREATE INDEX cw_task_mine ON cw_task (assignee, state, due, id);

CREATE TABLE cw_timer (
  case_id TEXT NOT NULL,
  tkey TEXT NOT NULL,
  node TEXT NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (case_id, tkey)
);
CREATE INDEX cw_timer_at ON cw_timer (at, case_id);

CREATE TABLE cw_wait (
  case_id TEXT NOT NULL,
  tkey TEXT NOT NULL,
  name TEXT NOT NULL,
  PRIMARY KEY (case_id, tkey)
);

CREATE TABLE cw_message (
  id TEXT PRIMARY KEY,
  case_id TEXT NOT NULL,
  name TEXT NOT NULL,
  vars TEXT NOT NULL,
  at BIGINT NOT NULL,
  taken BOOLEAN NOT NULL
);
CREATE INDEX cw_message_case ON cw_message (case_id, taken);

CREATE TABLE cw_idem (
  actor TEXT NOT NULL,
  ikey TEXT NOT NULL,
  body TEXT NOT NULL,
  reply TEXT NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (actor, ikey)
);
CREATE INDEX cw_idem_at ON cw_idem (at);

CREATE TABLE cw_setting (
  skey TEXT NOT NULL,
  version BIGINT NOT NULL,
  value TEXT NOT NULL,
  valid_from BIGINT NOT NULL,
  changed_by TEXT NOT NULL,
  changed_at BIGINT NOT NULL,
  PRIMARY KEY (skey, version)
);

CREATE TABLE cw_open_right (
  id TEXT PRIMARY KEY,
  case_id TEXT NOT NULL,
  node TEXT NOT NULL,
  name TEXT NOT NULL,
  scope TEXT NOT NULL,
  source TEXT NOT NULL,
  opened_at BIGINT NOT NULL,
  until_at BIGINT NOT NULL,
  closed_at BIGINT NOT NULL
);
CREATE INDEX cw_open_right_case ON cw_open_right (case_id, closed_at);
