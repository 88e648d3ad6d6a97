"""The frame around the pages: window, menus, what actions do, sessions and their files, status texts, crash log."""
