"""What travels over HTTP, for the API page and for checking requests: one module for each room of
routes, and `base` for what they share. Answers are not passed through these models (they are
encoded where they are made); a test holds real answers against them.
"""
