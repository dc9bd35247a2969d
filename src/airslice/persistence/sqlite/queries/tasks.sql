-- save_task --
INSERT INTO tasks (
    run_id, app_id, room_id, task_id, state, started_at_ms, ended_at_ms, stop_reason,
    period_origin_ms, auto, problem, task_order, storage_keys
) VALUES (
    :run_id, :app_id, :room_id, :task_id, :state, :started_at_ms, :ended_at_ms, :stop_reason,
    :period_origin_ms, :auto, :problem, :task_order, :storage_keys
)
ON CONFLICT (run_id) DO UPDATE SET
    state = excluded.state,
    started_at_ms = excluded.started_at_ms,
    ended_at_ms = excluded.ended_at_ms,
    stop_reason = excluded.stop_reason,
    period_origin_ms = excluded.period_origin_ms,
    problem = excluded.problem,
    task_order = excluded.task_order,
    storage_keys = excluded.storage_keys

-- find_task --
SELECT * FROM tasks
WHERE app_id = :app_id AND room_id = :room_id AND task_id = :task_id
    AND started_at_ms >= :since_ms
ORDER BY started_at_ms DESC, id DESC
LIMIT 1

-- find_run --
SELECT * FROM tasks
WHERE run_id = :run_id

-- unfinished_tasks --
SELECT * FROM tasks
WHERE state NOT IN ('ended', 'failed')
ORDER BY started_at_ms, id

-- room_tasks --
SELECT * FROM tasks
WHERE run_id IN (
    SELECT run_id FROM slices
    WHERE app_id = :app_id AND room_id = :room_id
    ORDER BY id DESC
    LIMIT :limit
)

-- forget_before --
DELETE FROM tasks
WHERE state IN ('ended', 'failed')
    AND ended_at_ms < :ended_before_ms
    AND NOT EXISTS (
        SELECT 1 FROM slices
        WHERE slices.run_id = tasks.run_id AND slices.state IN ('spooled', 'stored')
    )
