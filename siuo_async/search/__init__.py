"""Search as a seam: an HTTP endpoint, a folder of documents, or a function of the user's."""
