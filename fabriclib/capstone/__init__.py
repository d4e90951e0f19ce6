"""The capstone: a brief and a plan for a cluster give a score, the limit that binds, and the changes that would help most.

A margin is what a brief allows over what a plan needs: 1 is just enough. The score of a plan is its smallest margin.
"""

from .brief import Brief, brief, briefs
from .plan import OPTIONS, Plan
from .score import Change, Score, score, search

__all__ = ["OPTIONS", "Brief", "Change", "Plan", "Score", "brief", "briefs", "score", "search"]
