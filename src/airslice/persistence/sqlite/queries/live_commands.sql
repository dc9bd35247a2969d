-- add_command --
INSERT INTO live_commands (
    command_id, project_id, room_id, job_id, name, state, source, created_at_ms, params
) VALUES (
    :command_id, :project_id, :room_id, :job_id, :name, :state, :source, :created_at_ms, :params
)

-- queued --
SELECT * FROM live_commands
WHERE state = 'QUEUED' AND project_id = :project_id AND (:job_id IS NULL OR job_id = :job_id)
    AND name IN (SELECT value FROM json_each(:names))
ORDER BY id
LIMIT :limit OFFSET :offset

-- count_queued --
SELECT COUNT(*) AS commands FROM live_commands
WHERE state = 'QUEUED' AND project_id = :project_id AND (:job_id IS NULL OR job_id = :job_id)
    AND name IN (SELECT value FROM json_each(:names))

-- count_of_job --
SELECT COUNT(*) AS commands FROM live_commands
WHERE job_id = :job_id

-- settle --
UPDATE live_commands SET state = :state
WHERE state = 'QUEUED' AND job_id = :job_id
    AND name IN (SELECT value FROM json_each(:names))
    AND (:command_ids IS NULL OR command_id IN (SELECT value FROM json_each(:command_ids)))

-- remove_queued --
DELETE FROM live_commands
WHERE state = 'QUEUED' AND job_id = :job_id
    AND name IN (SELECT value FROM json_each(:names))
    AND (:command_ids IS NULL OR command_id IN (SELECT value FROM json_each(:command_ids)))

-- add_event --
INSERT INTO live_events (job_id, timestamp_ms, type, content)
VALUES (:job_id, :timestamp_ms, :type, :content)

-- forget_events --
DELETE FROM live_events
WHERE job_id = :job_id AND id <= (
    SELECT id FROM live_events
    WHERE job_id = :job_id
    ORDER BY id DESC
    LIMIT 1 OFFSET :keep
)

-- events --
SELECT * FROM live_events
WHERE job_id = :job_id
ORDER BY id
