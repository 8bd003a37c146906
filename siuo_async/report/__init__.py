"""From a summary to what people read: tables in the terminal, Markdown."""
