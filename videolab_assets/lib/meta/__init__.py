"""The one guarded way to Meta's Marketing API."""
