"""The drawing half: CLIP-guided optimisation of pictures. It knows nothing of Discord."""
