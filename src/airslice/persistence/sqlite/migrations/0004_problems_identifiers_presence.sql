-- Why a task could not be started.
ALTER TABLE tasks ADD COLUMN problem TEXT NOT NULL DEFAULT '';

-- The prefix that the slice was cut under. Slices of earlier releases have none: their task's.
ALTER TABLE slices ADD COLUMN identifier TEXT;

-- Rooms, users in them and their streams, of which an event told that they are there.
CREATE TABLE presences (
    app_id TEXT NOT NULL,
    room_id TEXT NOT NULL,
    user_id TEXT NOT NULL, -- empty for a room
    stream_type INTEGER NOT NULL, -- -1 for a room or a user
    since_ms INTEGER NOT NULL,
    PRIMARY KEY (app_id, room_id, user_id, stream_type)
) STRICT, WITHOUT ROWID;
