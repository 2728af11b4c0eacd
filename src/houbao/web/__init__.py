"""The API and the console: reads through `store.queries` and `store.lists`, writes through the engine's writer."""
