-- One row is one piece of work. Finished work without a key is deleted; with a
-- key it stays for a while, so that the same key is not taken twice.
CREATE TABLE job_job (
	id          TEXT    NOT NULL PRIMARY KEY,
	kind        TEXT    NOT NULL,
	target      TEXT    NOT NULL,           -- the partner whose breaker it heeds, '' for none
	key         TEXT,                       -- idempotency, unique within the kind
	args        TEXT    NOT NULL,           -- JSON; ids, never personal data
	state       TEXT    NOT NULL,           -- ready running failed done discarded
	business    BOOLEAN NOT NULL,           -- run_at is reckoned by the business clock
	run_at      BIGINT  NOT NULL,
	attempt     BIGINT  NOT NULL,           -- failures so far
	waits       BIGINT  NOT NULL,           -- times it had to look again later
	lost        BIGINT  NOT NULL,           -- times its process died under it
	lease_by    TEXT    NOT NULL,           -- the runner that holds it, '' for none
	lease_until BIGINT  NOT NULL,
	code        TEXT    NOT NULL,           -- of the last error
	error       TEXT    NOT NULL,           -- the last error, or why it was discarded
	created_at  BIGINT  NOT NULL,
	changed_at  BIGINT  NOT NULL,
	UNIQUE (kind, key)
);
CREATE INDEX job_job_due ON job_job (target, business, run_at, id) WHERE state = 'ready';
CREATE INDEX job_job_lease ON job_job (lease_until) WHERE state = 'running';
CREATE INDEX job_job_failed ON job_job (id) WHERE state = 'failed';
CREATE INDEX job_job_over ON job_job (changed_at) WHERE state IN ('done', 'discarded');

-- Every target that ever had a job, with its breaker.
CREATE TABLE job_target (
	target     TEXT   NOT NULL PRIMARY KEY,
	state      TEXT   NOT NULL,             -- closed open probing
	trips      BIGINT NOT NULL,             -- times in a row it was not to be reached
	open_until BIGINT NOT NULL,             -- nothing is tried before
	error      TEXT   NOT NULL,
	changed_at BIGINT NOT NULL
);

CREATE TABLE job_timer (
	name        TEXT   NOT NULL PRIMARY KEY,
	next_at     BIGINT NOT NULL,
	lease_by    TEXT   NOT NULL,
	lease_until BIGINT NOT NULL,
	ran_at      BIGINT NOT NULL,
	error       TEXT   NOT NULL
);
