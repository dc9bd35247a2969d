-- save_ban --
INSERT INTO bans (app_id, room_id, user_id, expires_at_ms)
VALUES (:app_id, :room_id, :user_id, :expires_at_ms)
ON CONFLICT (app_id, room_id, user_id) DO UPDATE SET expires_at_ms = excluded.expires_at_ms

-- lift_ban --
DELETE FROM bans
WHERE app_id = :app_id AND room_id = :room_id AND user_id = :user_id

-- bans --
SELECT * FROM bans
ORDER BY expires_at_ms

-- forget_bans --
DELETE FROM bans
WHERE expires_at_ms <= :now_ms
