"""Facts from the DNS, each with the trace of how it was found; imports nothing of ours."""
