"""What a lesson asks of its learner: predictions, code exercises, and the record of both.

A lesson notebook only names its predictions and exercises by key; they are declared in `fabriclib/course/lessons/`.
"""

from .checking import check, solution
from .declare import Exercise, Prediction
from .gate import after
from .prediction import predict_first

__all__ = ["Exercise", "Prediction", "after", "check", "claims", "predict_first", "solution"]


def claims():
    """Return the claims the course tests, as a pandas DataFrame with one row per claim of data/claims.csv."""
    import pandas as pd

    from .. import catalog

    return pd.DataFrame(catalog.rows("claims"))
