CREATE TABLE num_series (
  series TEXT PRIMARY KEY,
  last BIGINT NOT NULL
);
