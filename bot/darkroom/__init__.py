"""Where pictures are made of pictures: larger ones, moving ones, other colours, a ZIP of all."""
