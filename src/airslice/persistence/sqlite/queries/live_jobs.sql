-- job_rooms --
SELECT * FROM live_job_rooms

-- job_keys --
SELECT id, room, state, created_at_ms, updated_at_ms FROM live_jobs
ORDER BY id

-- add_room --
INSERT INTO live_job_rooms (project_id, room_id, room_name)
VALUES (:project_id, :room_id, :room_name)
ON CONFLICT DO NOTHING

-- find_room --
SELECT id FROM live_job_rooms
WHERE room_id = :room_id AND project_id = :project_id AND room_name = :room_name

-- save_job --
INSERT INTO live_jobs (
    job_id, room, state, created_at_ms, updated_at_ms, started_at_ms, ended_at_ms, on_air_ms,
    is_paused, next_sentence
) VALUES (
    :job_id, :room, :state, :created_at_ms, :updated_at_ms, :started_at_ms, :ended_at_ms,
    :on_air_ms, :is_paused, :next_sentence
)
ON CONFLICT (job_id) DO UPDATE SET
    room = excluded.room,
    state = excluded.state,
    updated_at_ms = excluded.updated_at_ms,
    started_at_ms = excluded.started_at_ms,
    ended_at_ms = excluded.ended_at_ms,
    on_air_ms = excluded.on_air_ms,
    is_paused = excluded.is_paused,
    next_sentence = excluded.next_sentence
RETURNING id

-- update_details --
UPDATE live_job_documents SET details = :details
WHERE id = :id

-- save_documents --
INSERT OR REPLACE INTO live_job_documents (id, details, program)
VALUES (:id, :details, :program)

-- set_latest --
UPDATE live_rooms SET last_job = :id
WHERE room_id = :room_id AND project_id = :project_id AND (
    last_job IS NULL
    OR :created_at_ms >= (SELECT created_at_ms FROM live_jobs WHERE live_jobs.id = last_job)
)

-- find_job --
SELECT live_jobs.*, project_id, room_id, room_name, details, program
FROM live_jobs
JOIN live_job_rooms ON live_job_rooms.id = room
JOIN live_job_documents ON live_job_documents.id = live_jobs.id
WHERE job_id = :job_id AND project_id = :project_id

-- listed_jobs --
SELECT live_jobs.*, project_id, room_id, room_name, details
FROM json_each(:ids)
JOIN live_jobs ON live_jobs.id = json_each.value
JOIN live_job_rooms ON live_job_rooms.id = room
JOIN live_job_documents ON live_job_documents.id = live_jobs.id
ORDER BY json_each.key

-- unfinished_jobs --
SELECT live_jobs.*, project_id, room_id, room_name, details, program
FROM live_jobs
JOIN live_job_rooms ON live_job_rooms.id = room
JOIN live_job_documents ON live_job_documents.id = live_jobs.id
WHERE state IN ('WAITING', 'PROCESSING')
ORDER BY created_at_ms, live_jobs.id

-- has_unfinished_job --
SELECT 1 FROM live_job_rooms
JOIN live_jobs ON room = live_job_rooms.id
WHERE room_id = :room_id AND state IN ('WAITING', 'PROCESSING')
LIMIT 1
