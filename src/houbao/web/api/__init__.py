"""The API, version 1: what comes in (bodies), what goes out (shapes), and the operations."""
