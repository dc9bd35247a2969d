-- Who is kept out of which room, until when. An empty id stands for all.
CREATE TABLE bans (
    app_id TEXT NOT NULL,
    room_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    expires_at_ms INTEGER NOT NULL,
    PRIMARY KEY (app_id, room_id, user_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX bans_by_expiry ON bans (expires_at_ms);
