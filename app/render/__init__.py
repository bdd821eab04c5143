"""A graph and its numbers as something to look at: text, MathML, positions.

Imports nothing of Backstep above the engine, and draws nothing itself: it says what stands where.
"""
