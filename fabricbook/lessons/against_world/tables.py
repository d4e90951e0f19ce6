"""What the texts of lesson "The model against the world" quote."""

from fabriclib.prediction import predict

SMALL = 8.0  # bytes
smallest = float(predict("dgx-h100", "all_reduce", SMALL).seconds)
