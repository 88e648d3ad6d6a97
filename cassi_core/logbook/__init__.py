"""The rig logbook: accepted calibrations over the months, what they say about drift, in one small database file.

:mod:`.entry` is a line of it, :mod:`.store` reads and writes the file, :mod:`.drift` judges a line by the rig's limits and by what
was measured before, :mod:`.selection` filters, :mod:`.table` writes CSV, :mod:`.location` says where the file lies.
"""
