"""What a lesson asks of its learner: predictions, code exercises, the record of both, and the verdicts on the claims.

A lesson notebook only names its predictions, exercises and verdicts; they are declared in `fabriclib/course/lessons/`.
"""

from .checking import check, solution
from .claims import Verdict, claims, verdict
from .declare import Exercise, Prediction
from .gate import after
from .overview import my_progress
from .prediction import predict_first

__all__ = ["Exercise", "Prediction", "Verdict", "after", "check", "claims", "my_progress", "predict_first",
           "solution", "verdict"]
