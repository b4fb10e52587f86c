"""From a clip to what is posted: captions, framing, sound and encoding for each platform."""
