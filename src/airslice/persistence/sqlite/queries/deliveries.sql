-- recover --
UPDATE deliveries SET claimed_by = NULL, due_at_ms = MIN(due_at_ms, :now_ms)
WHERE claimed_by IS NOT NULL OR (kind = 'upload' AND due_at_ms > :now_ms)

-- count --
SELECT COUNT(*) AS deliveries FROM deliveries
WHERE state != 'dead'

-- queues --
-- Steps from one destination to the next, however many deliveries each of them has.
WITH RECURSIVE queue (destination) AS (
    SELECT MIN(destination) FROM deliveries
    WHERE kind = :kind AND state IN ('waiting', 'parked')
    UNION ALL
    SELECT (
        SELECT MIN(deliveries.destination) FROM deliveries
        WHERE kind = :kind AND state IN ('waiting', 'parked')
            AND deliveries.destination > queue.destination
    )
    FROM queue
    WHERE queue.destination IS NOT NULL
)
SELECT queue.destination, (
    SELECT MIN(due_at_ms) FROM deliveries
    WHERE kind = :kind AND state IN ('waiting', 'parked')
        AND deliveries.destination = queue.destination
) AS due_at_ms
FROM queue
WHERE queue.destination IS NOT NULL

-- due --
SELECT deliveries.*, run_id, user_id, stream_type, slice_index, spool_name
FROM deliveries
LEFT JOIN slices ON slices.id = slice_id
WHERE kind = :kind AND destination = :destination AND deliveries.state IN ('waiting', 'parked')
    AND due_at_ms <= :now_ms
ORDER BY due_at_ms
LIMIT :limit

-- claim --
UPDATE deliveries SET claimed_by = :claimed_by, due_at_ms = :until_ms
WHERE id = :id

-- is_claimed --
SELECT 1 FROM deliveries
WHERE id = :id AND claimed_by = :claimed_by

-- add_upload --
INSERT INTO deliveries (
    kind, destination, lane, position, state, attempts, due_at_ms, created_at_ms, last_error,
    slice_id, business_id
)
SELECT
    'upload',
    json_extract(task_order, '$.storage.vendor') || '/'
        || json_extract(task_order, '$.storage.bucket'),
    :lane, :slice_index, 'waiting', 0, 0, :generated_at_ms, '', slices.id, ''
FROM slices
JOIN tasks ON tasks.run_id = slices.run_id
WHERE slices.run_id = :run_id AND user_id = :user_id AND stream_type = :stream_type
    AND slice_index = :slice_index

-- add_callback --
INSERT INTO deliveries (
    kind, destination, lane, position, state, attempts, due_at_ms, created_at_ms, last_error,
    slice_id, event, business_id
)
SELECT
    :kind, :destination, :lane, :position,
    CASE WHEN EXISTS (
        SELECT 1 FROM deliveries AS earlier
        WHERE earlier.lane = :lane AND earlier.position < :position
            AND earlier.state IN ('held', 'waiting')
    ) THEN 'held' ELSE 'waiting' END,
    0, :now_ms, :now_ms, '', :slice_id, :event, :business_id

-- last_position --
SELECT MAX(position) AS position FROM deliveries
WHERE lane = :lane AND state IN ('held', 'waiting')

-- update --
UPDATE deliveries SET
    state = :state,
    attempts = :attempts,
    due_at_ms = :due_at_ms,
    last_error = :last_error,
    claimed_by = NULL
WHERE id = :id

-- remove --
DELETE FROM deliveries
WHERE id = :id

-- release --
UPDATE deliveries SET state = 'waiting', due_at_ms = :now_ms
WHERE state = 'held' AND id = (
    SELECT id FROM deliveries
    WHERE lane = :lane AND state IN ('held', 'waiting')
    ORDER BY position
    LIMIT 1
)

-- hold_if_not_first --
UPDATE deliveries SET state = 'held'
WHERE id = :id AND kind != 'upload' AND EXISTS (
    SELECT 1 FROM deliveries AS earlier
    WHERE earlier.lane = :lane AND earlier.position < :position
        AND earlier.state IN ('held', 'waiting')
)

-- set_slice_state --
UPDATE slices SET state = :slice_state
WHERE id = (SELECT slice_id FROM deliveries WHERE deliveries.id = :id)

-- slice_id --
SELECT slice_id FROM deliveries
WHERE id = :id

-- find --
SELECT deliveries.*, run_id, user_id, stream_type, slice_index, spool_name
FROM deliveries
LEFT JOIN slices ON slices.id = slice_id
WHERE deliveries.id = :id

-- list_all --
SELECT deliveries.*, run_id, user_id, stream_type, slice_index, spool_name
FROM deliveries
LEFT JOIN slices ON slices.id = slice_id
WHERE deliveries.id > :after_id
ORDER BY deliveries.id
LIMIT :limit

-- list_dead --
SELECT deliveries.*, run_id, user_id, stream_type, slice_index, spool_name
FROM deliveries
LEFT JOIN slices ON slices.id = slice_id
WHERE deliveries.id > :after_id AND deliveries.state = 'dead'
ORDER BY deliveries.id
LIMIT :limit

-- list_pending --
SELECT deliveries.*, run_id, user_id, stream_type, slice_index, spool_name
FROM deliveries
LEFT JOIN slices ON slices.id = slice_id
WHERE deliveries.id > :after_id AND deliveries.state != 'dead'
ORDER BY deliveries.id
LIMIT :limit

-- awaited --
SELECT spool_name FROM slices
WHERE state = 'spooled' AND spool_name IN (SELECT value FROM json_each(:names))
