"""What commands do that are more than one call: import, work, explain."""
