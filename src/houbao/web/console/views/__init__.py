"""What pages show, as plain records: read from a snapshot for one reader, without HTTP and without words."""
