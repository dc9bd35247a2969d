-- next_index --
SELECT user_id, stream_type, MAX(slice_index) + 1 AS next_index FROM slices
WHERE run_id = :run_id
GROUP BY user_id, stream_type

-- spool_names --
SELECT spool_name FROM slices
WHERE run_id = :run_id

-- add_slice --
INSERT INTO slices (
    run_id, user_id, stream_type, slice_index, app_id, room_id, object_key, start_ms, samples,
    sample_rate_hz, channels, bits_per_sample, size_bytes, sha256, generated_at_ms, spool_name,
    event_id, identifier, state
) VALUES (
    :run_id, :user_id, :stream_type, :slice_index,
    (SELECT app_id FROM tasks WHERE run_id = :run_id),
    (SELECT room_id FROM tasks WHERE run_id = :run_id),
    :object_key, :start_ms, :samples,
    :sample_rate_hz, :channels, :bits_per_sample, :size_bytes, :sha256, :generated_at_ms, :spool_name,
    :event_id, :identifier, :state
)
ON CONFLICT (run_id, user_id, stream_type, slice_index) DO NOTHING

-- find_slice --
SELECT * FROM slices
WHERE run_id = :run_id AND user_id = :user_id AND stream_type = :stream_type
    AND slice_index = :slice_index

-- room_slices --
SELECT * FROM slices
WHERE app_id = :app_id AND room_id = :room_id
ORDER BY id DESC
LIMIT :limit
