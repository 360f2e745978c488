"""One protocol per file, versioned by name; a changed definition gets a new version."""
