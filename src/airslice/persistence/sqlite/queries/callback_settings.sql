-- save_setting --
INSERT INTO callback_settings (
    app_id, business_id, receiver, event_types, created_at_ms, updated_at_ms
) VALUES (
    :app_id, :business_id, :receiver, :event_types, :created_at_ms, :updated_at_ms
)
ON CONFLICT (app_id, business_id) DO UPDATE SET
    receiver = excluded.receiver,
    event_types = excluded.event_types,
    created_at_ms = excluded.created_at_ms,
    updated_at_ms = excluded.updated_at_ms

-- find_setting --
SELECT * FROM callback_settings
WHERE app_id = :app_id AND business_id = :business_id

-- settings --
SELECT * FROM callback_settings
WHERE app_id = :app_id
ORDER BY business_id

-- remove_setting --
DELETE FROM callback_settings
WHERE app_id = :app_id AND business_id = :business_id
