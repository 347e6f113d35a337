-- +goose Up
-- +goose StatementBegin
CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'audit rows are never changed or removed';
END
$$;
-- +goose StatementEnd

CREATE TRIGGER audit_event_keep BEFORE DELETE ON audit_event
FOR EACH ROW EXECUTE FUNCTION audit_refuse();

CREATE TRIGGER audit_event_still BEFORE UPDATE ON audit_event
FOR EACH ROW WHEN (OLD.mac <> '' OR NEW.id <> OLD.id OR NEW.at <> OLD.at OR NEW.wall_at <> OLD.wall_at OR NEW.type <> OLD.type
  OR NEW.outcome <> OLD.outcome OR NEW.actor <> OLD.actor OR NEW.actor_kind <> OLD.actor_kind OR NEW.subject <> OLD.subject
  OR NEW.case_id <> OLD.case_id OR NEW.code <> OLD.code OR NEW.ip <> OLD.ip OR NEW.detail <> OLD.detail)
EXECUTE FUNCTION audit_refuse();
