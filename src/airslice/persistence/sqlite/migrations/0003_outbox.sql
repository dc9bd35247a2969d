-- What is still to be uploaded and called back. What is done is removed.
CREATE TABLE deliveries (
    id INTEGER PRIMARY KEY AUTOINCREMENT, -- never used again: people write them down
    kind TEXT NOT NULL,
    destination TEXT NOT NULL,
    lane TEXT NOT NULL,
    position INTEGER NOT NULL,
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    due_at_ms INTEGER NOT NULL, -- while claimed: when the claim expires
    claimed_by TEXT,
    created_at_ms INTEGER NOT NULL,
    last_error TEXT NOT NULL,
    slice_id INTEGER REFERENCES slices (id) ON DELETE CASCADE,
    event TEXT, -- JSON
    business_id TEXT NOT NULL
) STRICT;

CREATE INDEX deliveries_due ON deliveries (kind, destination, due_at_ms)
WHERE state IN ('waiting', 'parked');

CREATE INDEX deliveries_in_lane ON deliveries (lane, position)
WHERE state IN ('held', 'waiting');

CREATE INDEX deliveries_dead ON deliveries (id)
WHERE state = 'dead';

CREATE INDEX deliveries_of_slice ON deliveries (slice_id);

CREATE TABLE callback_settings (
    app_id TEXT NOT NULL,
    business_id TEXT NOT NULL,
    receiver BLOB NOT NULL, -- URL and secret, sealed
    event_types TEXT NOT NULL, -- JSON
    created_at_ms INTEGER NOT NULL,
    updated_at_ms INTEGER NOT NULL,
    PRIMARY KEY (app_id, business_id)
) STRICT, WITHOUT ROWID;
