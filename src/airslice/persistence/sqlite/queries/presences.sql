-- enter --
INSERT INTO presences (app_id, room_id, user_id, stream_type, since_ms)
VALUES (:app_id, :room_id, :user_id, :stream_type, :since_ms)
ON CONFLICT (app_id, room_id, user_id, stream_type) DO UPDATE SET since_ms = excluded.since_ms

-- leave --
DELETE FROM presences
WHERE app_id = :app_id AND room_id = :room_id AND user_id = :user_id
    AND stream_type = :stream_type

-- present --
SELECT * FROM presences
ORDER BY app_id, room_id, user_id, stream_type

-- sign --
INSERT INTO meta (name, value) VALUES ('last sign', CAST(:at_ms AS BLOB))
ON CONFLICT (name) DO UPDATE SET value = excluded.value

-- last_sign --
SELECT CAST(CAST(value AS TEXT) AS INTEGER) AS at_ms FROM meta
WHERE name = 'last sign'
