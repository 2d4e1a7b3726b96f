"""Entropy models that networks share, and how their integers become bytes."""
