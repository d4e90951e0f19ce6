"""The job that runs through the lessons: eight GPUs, each with a copy of a model that fits on one, sum up their gradients."""

GPUS = 8
PARAMETERS = 7e9
GRADIENT = 2 * PARAMETERS  # bytes that a GPU brings to the sum: 16 bits for each parameter
