"""What is asked and how an answer becomes a score: one readable module per benchmark; what they share stands beside them."""
