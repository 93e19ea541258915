-- What staff did is told for three years, what they did to notices to many for one; nobody changes a row, and nobody
-- removes one before its time.

DROP TRIGGER staff_audit_append_only ON staff_audit;
CREATE TRIGGER staff_audit_append_only BEFORE UPDATE OR DELETE ON staff_audit
    FOR EACH ROW EXECUTE FUNCTION append_only_for('3 years');
CREATE INDEX staff_audit_at ON staff_audit (at);

DROP TRIGGER job_events_append_only ON job_events;
CREATE TRIGGER job_events_append_only BEFORE UPDATE OR DELETE ON job_events
    FOR EACH ROW EXECUTE FUNCTION append_only_for('1 year');
