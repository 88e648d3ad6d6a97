"""Is an earlier calibration still right for today's picture?

:mod:`.earlier` is what is known of the earlier one, :mod:`.today` fits today's picture from its values, :mod:`.comparing` judges the change,
:mod:`.verify` is the one entry point, :mod:`.result` what it gives back, :mod:`.words` says it in words, :mod:`.opening` finds the earlier
calibration in files and in the logbook.
"""
