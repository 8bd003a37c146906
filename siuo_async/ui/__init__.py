"""What a user sees while a run goes on: a live screen, or plain lines where there is no terminal."""
