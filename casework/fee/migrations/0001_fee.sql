CREATE TABLE fee_fee (
  id TEXT PRIMARY KEY,
  case_id TEXT NOT NULL UNIQUE,
  amount BIGINT NOT NULL,
  items TEXT NOT NULL,
  state TEXT NOT NULL,
  order_no TEXT UNIQUE,
  pay_url TEXT NOT NULL,
  expires_at BIGINT NOT NULL,
  paid_at BIGINT NOT NULL,
  channel TEXT NOT NULL,
  trade_no TEXT NOT NULL,
  demanded_at BIGINT NOT NULL
);
CREATE INDEX fee_fee_open ON fee_fee (state, expires_at);

CREATE TABLE fee_order (
  order_no TEXT PRIMARY KEY,
  fee TEXT NOT NULL,
  at BIGINT NOT NULL,
  state TEXT NOT NULL
);
CREATE INDEX fee_order_fee ON fee_order (fee, at);
