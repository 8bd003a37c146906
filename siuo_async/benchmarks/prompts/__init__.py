"""Prompts: our own templates (text files here), and the released ones, read out of the user's checkout and proved by hash."""
