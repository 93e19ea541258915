-- What a message invites to is noted when its request leaves, and counts once it surely arrived: WeChat took it, its
-- receipt says so, or its citizen tapped it (docs/adr/0017).
ALTER TABLE prompts ADD arrived boolean NOT NULL DEFAULT true;
