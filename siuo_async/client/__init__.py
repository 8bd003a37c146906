"""Sending calls: accounts, limit groups, endpoints, retries and the transport."""
