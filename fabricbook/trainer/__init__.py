"""What a trainer does around the lessons: prepare a machine, open a plan, draw the room's guesses, see who is stuck, start anew.

Nothing here is of use to a learner, and nothing of it is loaded by a lesson.
"""
