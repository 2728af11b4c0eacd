"""The handlers of the pages: who asks, which view, which template."""
