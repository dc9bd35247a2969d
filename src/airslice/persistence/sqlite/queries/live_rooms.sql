-- save_room --
INSERT INTO live_rooms (
    room_id, project_id, folded_name, type, models, state, confirm_state, script_version,
    created_at_ms, updated_at_ms, shared_type, shared_state, shared_until_ms, draft, paragraphs
) VALUES (
    :room_id, :project_id, :folded_name, :type, :models, :state, :confirm_state, :script_version,
    :created_at_ms, :updated_at_ms, :shared_type, :shared_state, :shared_until_ms, :draft,
    :paragraphs
)
ON CONFLICT (room_id) DO UPDATE SET
    folded_name = excluded.folded_name,
    type = excluded.type,
    models = excluded.models,
    state = excluded.state,
    confirm_state = excluded.confirm_state,
    script_version = excluded.script_version,
    updated_at_ms = excluded.updated_at_ms,
    shared_type = excluded.shared_type,
    shared_state = excluded.shared_state,
    shared_until_ms = excluded.shared_until_ms,
    draft = excluded.draft,
    paragraphs = excluded.paragraphs
RETURNING id

-- remove_shares --
DELETE FROM live_room_shares
WHERE room = :room

-- add_share --
INSERT INTO live_room_shares (project_id, room)
VALUES (:project_id, :room)
ON CONFLICT DO NOTHING

-- find_room --
SELECT * FROM live_rooms
WHERE room_id = :room_id

-- remove_room --
DELETE FROM live_rooms
WHERE room_id = :room_id

-- count_rooms --
SELECT COUNT(*) AS rooms FROM live_rooms
WHERE project_id = :project_id

-- matching --
WITH candidates (id) AS (
    SELECT id FROM live_rooms
    WHERE :scope = 'rooms' AND project_id = :project_id
    UNION ALL
    SELECT id FROM live_rooms
    WHERE :scope = 'OWNED' AND project_id = :project_id AND type = 'TEMPLATE'
    UNION ALL
    SELECT id FROM live_rooms
    WHERE :scope = 'SHARED_TO_OTHERS' AND project_id = :project_id AND type = 'TEMPLATE'
        AND shared_type != 'PRIVATE' AND shared_state = 'PUBLISHED'
        AND (shared_until_ms = 0 OR shared_until_ms > :now_ms)
    UNION ALL
    SELECT id FROM live_rooms
    JOIN live_room_shares ON room = id
    WHERE :scope = 'SHARED_FROM_OTHERS' AND live_room_shares.project_id = :project_id
        AND live_rooms.project_id != :project_id AND type = 'TEMPLATE'
        AND shared_type = 'SHARED' AND shared_state = 'PUBLISHED'
        AND (shared_until_ms = 0 OR shared_until_ms > :now_ms)
    UNION ALL
    SELECT id FROM live_rooms
    WHERE :scope = 'PUBLIC' AND type = 'TEMPLATE'
        AND shared_type = 'PUBLIC' AND shared_state = 'PUBLISHED'
        AND (shared_until_ms = 0 OR shared_until_ms > :now_ms)
)
SELECT live_rooms.id FROM candidates
JOIN live_rooms ON live_rooms.id = candidates.id
LEFT JOIN live_jobs ON live_jobs.id = last_job
WHERE instr(folded_name, :name) > 0
    AND (:dh_id = '' OR EXISTS (
        SELECT 1 FROM json_each(models) WHERE value ->> 0 = :dh_id
    ))
    AND (:model = '' OR EXISTS (
        SELECT 1 FROM json_each(models) WHERE instr(value ->> 1, :model) > 0
    ))
    AND (:types IS NULL OR type IN (SELECT value FROM json_each(:types)))
    AND (:confirm_state IS NULL OR confirm_state = :confirm_state)
    AND (:since_ms IS NULL OR live_rooms.created_at_ms >= :since_ms)
    AND (:until_ms IS NULL OR live_rooms.created_at_ms <= :until_ms)
    AND (
        :last_job_states IS NULL
        OR COALESCE(live_jobs.state, '') IN (SELECT value FROM json_each(:last_job_states))
    )
    AND (:last_job_since_ms IS NULL OR live_jobs.created_at_ms >= :last_job_since_ms)
    AND (:last_job_until_ms IS NULL OR live_jobs.created_at_ms <= :last_job_until_ms)
ORDER BY live_rooms.updated_at_ms DESC, live_rooms.id DESC

-- listed_rooms --
SELECT live_rooms.* FROM json_each(:ids)
JOIN live_rooms ON live_rooms.id = json_each.value
ORDER BY json_each.key
