"""Where records are kept: adapters of the record ports, a package per kind of database."""
