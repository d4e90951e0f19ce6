"""What a lab is made of: a pure function, its controls, a chart whose live data moves.

    from ...stage import Control, charts, lab
"""

from . import against, charts, parts
from .control import Control
from .lab import Lab, lab

__all__ = ["Control", "Lab", "against", "charts", "lab", "parts"]
