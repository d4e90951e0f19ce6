"""The learner's desk: their copies of the lessons in one folder, and JupyterLab set up to open them where they left off."""
