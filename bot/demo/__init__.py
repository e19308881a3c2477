"""`pixel demo`: the very same bot on a simulated Discord, in the local browser.

Only Discord is simulated (by simcord): commands, queue, reporter, store, engine process and model
are the ones of `pixel run`.
"""
