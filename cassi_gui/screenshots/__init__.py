"""Pictures of every page by the program itself: `python -m cassi_gui.screenshots OUT`; nothing of the product imports it."""
