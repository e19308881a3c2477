"""How the small models were made, from icon sets to a file: `python -m engine.training`."""
