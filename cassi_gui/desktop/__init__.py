"""What every part of the window shares: modal questions, preferences, saving of plots, the table of actions."""
