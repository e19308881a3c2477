"""The talking half: Discord, the queue and the history. It never imports torch."""
