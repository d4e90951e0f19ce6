"""The book: the whole course as plain pages that open from a file, where no kernel runs."""
