"""The benchmark's parts, from the bottom up:

proc       processes and what /proc says of them
machine    what is measured on: processor, kernel, commit
scenarios  what is sent, and what must come back
subjects   what it is sent through: direct, nginx, Lintel builds
measure    one scenario through one subject: one row
rounds     interleaved rounds of all of them: one run
bars       what Lintel must reach, as data
report     rows to tables
"""
