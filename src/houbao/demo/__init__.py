"""The demonstration: real or generated orders, simulated people, the real engine."""
