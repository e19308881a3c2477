"""How fast this machine draws, beside what cannot be done without, and what others do instead."""
