"""What commands do that are more than one call: import, rates, work, explain."""
