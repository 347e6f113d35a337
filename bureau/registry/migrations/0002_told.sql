-- Whether 大登记 has answered to the entry; what was entered before counts as told.
ALTER TABLE reg_entry ADD COLUMN told BOOLEAN NOT NULL DEFAULT TRUE;
