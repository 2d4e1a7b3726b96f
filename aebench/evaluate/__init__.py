"""Ray around the harness: every image through every codec, for rows (`evaluate`) and for times (`time_codecs`)."""

from aebench.evaluate.measuring import evaluate
from aebench.evaluate.plan import Plan, plan
from aebench.evaluate.timing import time_codecs

__all__ = ["Plan", "evaluate", "plan", "time_codecs"]
