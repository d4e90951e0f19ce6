"""What a lesson asks of its learner: predictions, code exercises, the record of both, and the verdicts on the claims.

A lesson declares them in its questions.py; here is how they are asked, judged and kept. The cells of a lesson name them by
their keys, through `fabricbook.cells`.
"""
