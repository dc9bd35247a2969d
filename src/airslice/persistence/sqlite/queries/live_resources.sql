-- save_group --
INSERT INTO interaction_rule_groups (
    group_id, project_id, name, folded_name, created_at_ms, updated_at_ms, rules
) VALUES (
    :group_id, :project_id, :name, :folded_name, :created_at_ms, :updated_at_ms, :rules
)
ON CONFLICT (group_id) DO UPDATE SET
    name = excluded.name,
    folded_name = excluded.folded_name,
    updated_at_ms = excluded.updated_at_ms,
    rules = excluded.rules

-- find_group --
SELECT * FROM interaction_rule_groups
WHERE group_id = :group_id AND project_id = :project_id

-- remove_group --
DELETE FROM interaction_rule_groups
WHERE group_id = :group_id AND project_id = :project_id

-- groups --
SELECT * FROM interaction_rule_groups
WHERE project_id = :project_id
    AND instr(folded_name, :name) > 0
    AND (:since_ms IS NULL OR created_at_ms >= :since_ms)
    AND (:until_ms IS NULL OR created_at_ms <= :until_ms)
ORDER BY created_at_ms, id
LIMIT :limit OFFSET :offset

-- count_groups --
SELECT COUNT(*) AS groups FROM interaction_rule_groups
WHERE project_id = :project_id
    AND instr(folded_name, :name) > 0
    AND (:since_ms IS NULL OR created_at_ms >= :since_ms)
    AND (:until_ms IS NULL OR created_at_ms <= :until_ms)

-- save_platform --
INSERT INTO live_platforms (
    platform_id, project_id, name, access_type, created_at_ms, updated_at_ms, secrets
) VALUES (
    :platform_id, :project_id, :name, :access_type, :created_at_ms, :updated_at_ms, :secrets
)
ON CONFLICT (platform_id) DO UPDATE SET
    name = excluded.name,
    access_type = excluded.access_type,
    updated_at_ms = excluded.updated_at_ms,
    secrets = excluded.secrets

-- find_platform --
SELECT * FROM live_platforms
WHERE platform_id = :platform_id AND project_id = :project_id

-- remove_platform --
DELETE FROM live_platforms
WHERE platform_id = :platform_id AND project_id = :project_id

-- platforms --
SELECT * FROM live_platforms
WHERE project_id = :project_id
ORDER BY created_at_ms, id

-- save_config --
INSERT OR REPLACE INTO live_user_configs (project_id, config)
VALUES (:project_id, :config)

-- find_config --
SELECT * FROM live_user_configs
WHERE project_id = :project_id
