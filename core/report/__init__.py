"""The agreement report: numbers from frames, content from numbers, and the page from content.

``readings`` lays out what is compared, ``measures`` works the numbers out, ``compose`` says them in sections
of ``content`` blocks, ``html`` writes a page. None of them reads a file or a clock: same values, same bytes.
"""
