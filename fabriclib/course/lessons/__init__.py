"""One module per lesson: `lesson_NN.py` with a list PREDICTIONS and a list EXERCISES; nothing else names it."""
