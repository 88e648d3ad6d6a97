"""How the window looks: palettes, icons, boxes, paths as people read them."""
