"""Speech to words: pieces of sound in which somebody speaks, an engine that hears them, a document of timed words."""
