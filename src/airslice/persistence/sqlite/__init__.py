"""All records in one SQLite file: an adapter for each of the record ports."""
