-- Times are UTC milliseconds since the Unix epoch.

-- Facts about the database itself.
CREATE TABLE meta (
    name TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT;

CREATE TABLE tasks (
    id INTEGER PRIMARY KEY,
    run_id TEXT NOT NULL UNIQUE,
    app_id TEXT NOT NULL,
    room_id TEXT NOT NULL,
    task_id TEXT NOT NULL,
    state TEXT NOT NULL,
    started_at_ms INTEGER NOT NULL,
    ended_at_ms INTEGER NOT NULL,
    stop_reason TEXT,
    period_origin_ms INTEGER NOT NULL,
    auto INTEGER NOT NULL,
    task_order TEXT NOT NULL, -- JSON, without the storage keys
    storage_keys BLOB -- sealed
) STRICT;

CREATE INDEX tasks_by_key ON tasks (app_id, room_id, task_id, started_at_ms);

CREATE INDEX tasks_unfinished ON tasks (started_at_ms)
WHERE state NOT IN ('ended', 'failed');

-- app_id and room_id repeat the task's, so that a room's latest slices are one index range.
CREATE TABLE slices (
    id INTEGER PRIMARY KEY,
    run_id TEXT NOT NULL REFERENCES tasks (run_id) ON DELETE CASCADE,
    user_id TEXT NOT NULL,
    stream_type INTEGER NOT NULL,
    slice_index INTEGER NOT NULL,
    app_id TEXT NOT NULL,
    room_id TEXT NOT NULL,
    object_key TEXT NOT NULL,
    start_ms INTEGER NOT NULL,
    samples INTEGER NOT NULL,
    sample_rate_hz INTEGER NOT NULL,
    channels INTEGER NOT NULL,
    bits_per_sample INTEGER NOT NULL,
    size_bytes INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    generated_at_ms INTEGER NOT NULL,
    spool_name TEXT NOT NULL,
    event_id TEXT NOT NULL,
    state TEXT NOT NULL,
    UNIQUE (run_id, user_id, stream_type, slice_index)
) STRICT;

CREATE INDEX slices_by_room ON slices (app_id, room_id, id);

CREATE INDEX slices_spooled ON slices (spool_name)
WHERE state = 'spooled';
