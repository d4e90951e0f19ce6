"""The maintainers' pages: the reference, made of the docstrings, and what docs/ and the root hold, with every link followed.

Sphinx makes them as it makes the book, with its looks and its policy (book/conf.py), in a folder beside the book's pages: a
learner's search is to find lessons, not functions.

    conf      how Sphinx makes pages of docstrings      pages     the pages as Sphinx reads them
"""
