"""The book: the whole course as plain pages that open from a file, where no kernel runs.

Sphinx makes it, from Markdown that `pages` writes out of the executed lessons: its pages, its search index and its scripts are
files that work from a memory stick, it needs no node and no server, and a link that leads nowhere is an error. MyST-NB would run
or quote notebooks; here every cell reads differently on a page, so `cells` says how, and MyST alone is enough.

    pages      lessons, opening page, glossary, claims, sources, answers      cells      one cell of a lesson on a page
    standing   what stands on several pages                                   posed      questions, judge.js and kept.js
    made       a folder made by Sphinx, with what its pages load
    conf       how Sphinx makes pages of them                                 static/    what asks and keeps, and how it looks
    states     all that a lab can show, computed and kept                     packing    the same as a text that a page unpacks
    player     what makes labs alive in a page: the stage's own front         player/    and what stands where a kernel would
    tried      labs of a book, driven and held against Python                slides     the pages, cut into decks (deck/)
    paper      the book, printed                                              handout    a sheet of paper a lesson (sheet/)
"""
