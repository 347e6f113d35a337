CREATE TABLE mat_material (
  id TEXT PRIMARY KEY,
  case_id TEXT NOT NULL,
  node TEXT NOT NULL,
  name TEXT NOT NULL,
  grp TEXT NOT NULL,
  origin TEXT NOT NULL,
  source TEXT NOT NULL,
  state TEXT NOT NULL,
  latest BIGINT NOT NULL,
  at BIGINT NOT NULL,
  UNIQUE (case_id, node)
);

CREATE TABLE mat_version (
  material_id TEXT NOT NULL,
  n BIGINT NOT NULL,
  name TEXT NOT NULL,
  mime TEXT NOT NULL,
  size BIGINT NOT NULL,
  sm3 TEXT NOT NULL,
  by_id TEXT NOT NULL,
  by_name TEXT NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (material_id, n)
);
