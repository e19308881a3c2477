"""Buttons that carry an action and a job's number, nothing else: they work after any restart."""
