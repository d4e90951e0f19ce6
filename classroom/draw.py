"""Draw the charts of all labs once for all learners, as root: each of their kernels would take 25 MB more to do it."""

from fabricbook.lessons import declared
from fabricbook.stage import kept

if __name__ == "__main__":
    kept.keep(function.declaration.chart for function in declared("labs").values())
