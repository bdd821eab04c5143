"""Floor 6: HTTP. Pages, REST, event streams, files and headers; nothing here computes."""
