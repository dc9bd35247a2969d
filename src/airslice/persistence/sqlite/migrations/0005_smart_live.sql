-- What owners write (scripts, addresses, keys) is sealed as a whole: any part may hold a secret.

-- What many jobs have in common, so that they can name it by a number.
CREATE TABLE live_job_rooms (
    id INTEGER PRIMARY KEY,
    project_id TEXT NOT NULL,
    room_id TEXT NOT NULL,
    room_name TEXT NOT NULL,
    UNIQUE (room_id, project_id, room_name)
) STRICT;

-- Narrow: the whole table is read at the start, see live_job_index.py.
CREATE TABLE live_jobs (
    id INTEGER PRIMARY KEY,
    job_id TEXT NOT NULL UNIQUE,
    room INTEGER NOT NULL REFERENCES live_job_rooms (id),
    state TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL,
    updated_at_ms INTEGER NOT NULL,
    started_at_ms INTEGER NOT NULL,
    ended_at_ms INTEGER NOT NULL,
    on_air_ms INTEGER NOT NULL,
    is_paused INTEGER NOT NULL,
    next_sentence TEXT NOT NULL -- JSON
) STRICT;

CREATE INDEX live_jobs_unfinished ON live_jobs (room)
WHERE state IN ('WAITING', 'PROCESSING');

-- The program comes last: where it is not asked for, its pages are not read.
CREATE TABLE live_job_documents (
    id INTEGER PRIMARY KEY REFERENCES live_jobs (id),
    details BLOB NOT NULL, -- sealed
    program BLOB NOT NULL -- sealed
) STRICT;

CREATE TABLE live_rooms (
    id INTEGER PRIMARY KEY,
    room_id TEXT NOT NULL UNIQUE,
    project_id TEXT NOT NULL,
    folded_name TEXT NOT NULL, -- without regard to case
    type TEXT NOT NULL,
    models TEXT NOT NULL, -- JSON: pairs of dh_id and folded model
    state TEXT NOT NULL,
    confirm_state TEXT NOT NULL,
    script_version TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL,
    updated_at_ms INTEGER NOT NULL,
    shared_type TEXT NOT NULL,
    shared_state TEXT NOT NULL,
    shared_until_ms INTEGER NOT NULL, -- 0 is for ever
    last_job INTEGER REFERENCES live_jobs (id),
    draft BLOB NOT NULL, -- sealed; its scenes are without paragraphs
    paragraphs BLOB NOT NULL -- sealed
) STRICT;

CREATE INDEX live_rooms_of_project ON live_rooms (project_id);

CREATE INDEX live_rooms_public ON live_rooms (shared_until_ms)
WHERE type = 'TEMPLATE' AND shared_type = 'PUBLIC' AND shared_state = 'PUBLISHED';

CREATE TABLE live_room_shares (
    project_id TEXT NOT NULL, -- that may use the template
    room INTEGER NOT NULL REFERENCES live_rooms (id) ON DELETE CASCADE,
    PRIMARY KEY (project_id, room)
) STRICT, WITHOUT ROWID;

CREATE INDEX live_room_shares_of_room ON live_room_shares (room);

CREATE TABLE interaction_rule_groups (
    id INTEGER PRIMARY KEY,
    group_id TEXT NOT NULL UNIQUE,
    project_id TEXT NOT NULL,
    name TEXT NOT NULL,
    folded_name TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL,
    updated_at_ms INTEGER NOT NULL,
    rules BLOB NOT NULL -- sealed
) STRICT;

CREATE INDEX interaction_rule_groups_of_project
ON interaction_rule_groups (project_id, created_at_ms);

CREATE TABLE live_platforms (
    id INTEGER PRIMARY KEY,
    platform_id TEXT NOT NULL UNIQUE,
    project_id TEXT NOT NULL,
    name TEXT NOT NULL,
    access_type TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL,
    updated_at_ms INTEGER NOT NULL,
    secrets BLOB NOT NULL -- key and addresses, sealed
) STRICT;

CREATE INDEX live_platforms_of_project ON live_platforms (project_id, created_at_ms);

CREATE TABLE live_user_configs (
    project_id TEXT PRIMARY KEY,
    config BLOB NOT NULL -- sealed
) STRICT, WITHOUT ROWID;

CREATE TABLE live_commands (
    id INTEGER PRIMARY KEY,
    command_id TEXT NOT NULL UNIQUE,
    project_id TEXT NOT NULL,
    room_id TEXT NOT NULL,
    job_id TEXT NOT NULL,
    name TEXT NOT NULL,
    state TEXT NOT NULL,
    source TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL,
    params BLOB NOT NULL -- sealed
) STRICT;

CREATE INDEX live_commands_of_job ON live_commands (job_id);

CREATE INDEX live_commands_queued ON live_commands (project_id, job_id)
WHERE state = 'QUEUED';

CREATE TABLE live_events (
    id INTEGER PRIMARY KEY,
    job_id TEXT NOT NULL,
    timestamp_ms INTEGER NOT NULL,
    type INTEGER NOT NULL,
    content TEXT NOT NULL
) STRICT;

CREATE INDEX live_events_of_job ON live_events (job_id, id);
