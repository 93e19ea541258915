-- Whose unionid WeChat is still to be asked for (user/info): what joins one human's accounts. It stands beside the account,
-- so that whoever goes takes the question along.

-- unionid_due: when it is asked (again), NULL once it is answered or given up. unionid_tries: how often it was; from 0 again
-- for who comes back, and by it an answer knows whether its question still stands.
ALTER TABLE accounts
    ADD COLUMN unionid_due   timestamptz DEFAULT '-infinity',
    ADD COLUMN unionid_tries smallint    NOT NULL DEFAULT 0;
CREATE INDEX accounts_unionid_due ON accounts (account, unionid_due) WHERE following AND unionid_due IS NOT NULL;
