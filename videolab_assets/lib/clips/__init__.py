"""Clips: which stretches of a video are worth posting, what a person says to that, and cutting them."""
