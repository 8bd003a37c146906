"""What is asked and how an answer becomes a score: one module per benchmark, and the data they read."""
