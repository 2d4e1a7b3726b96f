"""What rows say: summaries, rate-distortion curves, BD-rate, matched comparisons. Pure functions on a run's tables.

Tables, figures, the page and the Python API all take their numbers from here, so that they cannot disagree.
"""
