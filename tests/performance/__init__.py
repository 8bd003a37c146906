"""`make bench`: measured speed, as ratios against a bare loop in the same run; never a timed test.

__main__    options, the order of the rows, what is printed
rows_*      one module per group of rows: what is compared, and the target of each figure
tables      figures with their targets, as plain text and as Markdown
comparing   interleaved runs, medians, spread
processes   every run in a fresh process on a core of its own
serving     the canned server beside it; `server` is its program, `hammer` says how much it can do
measuring   what a run is given and what it gives back: CPU, wall time, memory, stalls
floor, engine, peers, journal, command
            what is measured; `engine` is the only one that knows how a session of this package is made
inputs      pictures, data sets, journals and certificates, made when the bench runs
"""
