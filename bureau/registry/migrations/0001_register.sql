CREATE TABLE reg_unit (
  code TEXT PRIMARY KEY,
  district TEXT NOT NULL,
  address_sealed TEXT NOT NULL,
  address_blind TEXT NOT NULL,
  area BIGINT NOT NULL,
  use_text TEXT NOT NULL,
  residential BOOLEAN NOT NULL,
  building BOOLEAN NOT NULL,
  outside_version BIGINT NOT NULL,
  version BIGINT NOT NULL,
  opened_at BIGINT NOT NULL
);

CREATE TABLE reg_right (
  id TEXT PRIMARY KEY,
  unit TEXT NOT NULL,
  kind TEXT NOT NULL,
  state TEXT NOT NULL,
  no TEXT NOT NULL,
  common TEXT NOT NULL,
  amount BIGINT NOT NULL,
  note TEXT NOT NULL,
  begun BIGINT NOT NULL,
  ended BIGINT NOT NULL,
  begun_entry BIGINT NOT NULL,
  ended_entry BIGINT NOT NULL
);
CREATE INDEX reg_right_unit ON reg_right (unit, state);
CREATE INDEX reg_right_no ON reg_right (no);

CREATE TABLE reg_holder (
  right_id TEXT NOT NULL,
  seq BIGINT NOT NULL,
  name_sealed TEXT NOT NULL,
  id_sealed TEXT NOT NULL,
  id_blind TEXT NOT NULL,
  share TEXT NOT NULL,
  PRIMARY KEY (right_id, seq)
);
CREATE INDEX reg_holder_blind ON reg_holder (id_blind);

CREATE TABLE reg_counter (
  name TEXT PRIMARY KEY,
  last BIGINT NOT NULL
);

CREATE TABLE reg_entry (
  no BIGINT PRIMARY KEY,
  unit TEXT NOT NULL,
  case_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  registrar TEXT NOT NULL,
  at BIGINT NOT NULL,
  unit_version BIGINT NOT NULL,
  digest TEXT NOT NULL,
  UNIQUE (case_id, unit, kind)
);
CREATE INDEX reg_entry_unit ON reg_entry (unit, no);

CREATE TABLE reg_lock (
  unit TEXT PRIMARY KEY,
  case_id TEXT NOT NULL,
  bundle TEXT NOT NULL,
  at BIGINT NOT NULL
);

CREATE TABLE reg_notice (
  id TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  case_id TEXT NOT NULL UNIQUE,
  cert_no TEXT NOT NULL,
  no TEXT NOT NULL,
  body TEXT NOT NULL,
  published_at BIGINT NOT NULL
);
CREATE INDEX reg_notice_list ON reg_notice (kind, published_at, id);

CREATE TABLE reg_lost (
  cert_no TEXT PRIMARY KEY,
  case_id TEXT NOT NULL,
  at BIGINT NOT NULL,
  next TEXT NOT NULL
);
