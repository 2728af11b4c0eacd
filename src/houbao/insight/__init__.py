"""Questions over history: the lake, backtests, reserves, prices, advice. Imports the engine's ports and the core."""
