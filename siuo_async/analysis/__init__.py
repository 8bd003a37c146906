"""From finished runs to what can be said of them: models compared, judges and people set against each other. Nothing is ever sent."""
