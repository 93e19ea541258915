-- How often somebody is asked in their own chat is counted, too.

ALTER TABLE binding_attempts
    DROP CONSTRAINT binding_attempts_kind_check,
    ADD CONSTRAINT binding_attempts_kind_check CHECK (kind IN ('request', 'ask', 'send', 'check', 'roster'));
